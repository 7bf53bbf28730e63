"""The dispatcher: event, match, deliver, record."""
