"""Rebuilds followed to their end."""
