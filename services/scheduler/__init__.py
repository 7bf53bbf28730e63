"""The scheduler: version sunsets and housekeeping, one leader at a time."""
