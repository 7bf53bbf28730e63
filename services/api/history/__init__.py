"""What was delivered, how each attempt went, and how well a webhook does."""
