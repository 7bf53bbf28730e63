"""One service with real PostgreSQL or Kafka."""
