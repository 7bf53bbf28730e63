"""Drafts of webhooks: made, previewed, tried out, published, and taken back."""
