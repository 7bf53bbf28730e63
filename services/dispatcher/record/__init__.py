"""Outcome to facts: rows, next due time, one log line."""
