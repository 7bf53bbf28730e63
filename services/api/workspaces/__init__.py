"""The tree of workspaces: read by those in it, written by internal services."""
