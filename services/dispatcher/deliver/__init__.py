"""One delivery to one outcome."""
