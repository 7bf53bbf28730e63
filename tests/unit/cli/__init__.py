"""The coro command, tested without any server."""
