"""Telling people by mail: what a mail says, and the way out."""
