"""API credentials of a workspace: made, listed and revoked by its super admins."""
