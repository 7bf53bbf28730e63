"""What waits for a webhook that gets nothing, moved out of the way: held, or discarded."""
