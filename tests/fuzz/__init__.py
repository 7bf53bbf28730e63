"""Calls of the API that nobody thought of, made from its own description."""
