"""Webhook configurations: create, read, change, remove, test."""
