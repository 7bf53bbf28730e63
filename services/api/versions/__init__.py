"""Webhook versions: their lives, and the release of the next one."""
