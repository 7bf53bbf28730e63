"""Tests without sockets; the folders mirror libs and services."""
