"""Kafka record to event: what is read, what is refused, and how far each partition is planned."""
