"""The deciding parts of the scheduler."""
