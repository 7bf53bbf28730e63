"""What internal services emit with, on real Kafka."""
