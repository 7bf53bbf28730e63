"""How a process lives."""
