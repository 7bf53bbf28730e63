"""The real processes: publish, receive, verify, read back."""
