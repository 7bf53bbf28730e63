"""The scheduler on a real PostgreSQL."""
