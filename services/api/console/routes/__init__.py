"""The addresses of the console, one file a group of pages: read, call a room, answer with a page or a redirect."""
