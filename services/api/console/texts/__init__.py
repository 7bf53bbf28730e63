"""The words of the console, one file a group of pages; templates know them as `t`."""
