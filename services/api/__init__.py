"""The config service: manages webhooks and publishes what happened to them."""
