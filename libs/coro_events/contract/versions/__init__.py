"""One file a webhook version: from an event to the body that a receiver gets."""
