"""What a webhook missed, planned again batch by batch at a gentle rate."""
