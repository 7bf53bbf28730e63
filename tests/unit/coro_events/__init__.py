"""The public face and the producer, tested without any server."""
