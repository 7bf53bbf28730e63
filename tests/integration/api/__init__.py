"""The config service with real PostgreSQL and Kafka."""
