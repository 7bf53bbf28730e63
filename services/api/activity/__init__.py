"""The activity log: who did what, and when; searched in pages or taken away as CSV."""
