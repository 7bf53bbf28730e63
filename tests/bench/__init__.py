"""The figures behind docs/performance.md, by make bench."""
