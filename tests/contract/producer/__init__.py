"""The port of producers of events: the fake and the real Kafka producer keep the same promises."""
