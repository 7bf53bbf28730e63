"""Coro Webhooks events: what internal services emit and receivers get."""
