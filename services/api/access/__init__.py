"""Who calls, for which workspace, with which role: credentials and access tokens."""
