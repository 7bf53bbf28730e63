"""The OpenAPI document, completed, and the page that shows it without anything from elsewhere."""
