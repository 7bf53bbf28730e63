"""What the store decides without a database."""
