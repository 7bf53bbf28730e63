"""The schema: up, down and equal to the model."""
