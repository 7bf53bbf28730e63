"""Deliveries that did not arrive: replay of what was missed, retry of one by hand."""
