"""The three processes of Coro Webhooks; none imports another."""
