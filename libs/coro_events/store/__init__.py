"""PostgreSQL: the only place with tables, one table a file."""
