"""What runs the product: the local stack and the files for servers."""
