"""Killed, cut off, slow: nothing is lost."""
