"""The audit of the faults on a real database and a real receiver."""
