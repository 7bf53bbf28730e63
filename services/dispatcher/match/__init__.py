"""Event to planned deliveries: which webhooks want it."""
