"""What in a tree of workspaces needs somebody: webhooks that fail, that are disabled, and versions about to expire."""
