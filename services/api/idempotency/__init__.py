"""Requests that may be repeated: the answer to an idempotency key is given once and kept for a day."""
