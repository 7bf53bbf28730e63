"""What travels, tested without any server."""
