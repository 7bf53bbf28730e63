"""One chore a file, each with run_once(now)."""
