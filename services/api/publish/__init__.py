"""The outbox out to Kafka, in order, after the commit."""
