"""The embedded default: every part of the product on one machine, by one command."""
