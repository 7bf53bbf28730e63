"""The tests of Coro Webhooks."""
