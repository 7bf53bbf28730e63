"""The pages of the console: server-rendered, usable without scripts; calls the other rooms, never their SQL."""
