"""What every adapter of a port of the config service promises."""
