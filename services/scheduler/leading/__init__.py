"""One scheduler at work, the others waiting."""
