"""Who sits at the console: sign-in with a password or by OpenID Connect, sessions and their cookies."""
