"""Organisations to begin with: the repositories of each, and what is published for them."""
