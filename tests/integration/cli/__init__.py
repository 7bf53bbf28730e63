"""The coro command on real PostgreSQL and Kafka."""
