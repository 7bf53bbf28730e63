"""Rules that more than one service needs, with the standard library alone."""
