"""The dispatcher with real PostgreSQL and Kafka, and as a real process."""
