"""The config service, without sockets."""
