"""Follows pull requests and runs to their end."""
