"""Why an event did, or did not, reach a webhook."""
