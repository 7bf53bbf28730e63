"""The coro command, one file a noun."""
