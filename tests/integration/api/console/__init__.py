"""The console over real PostgreSQL, without a browser."""
