"""Workflows that run after a build, followed to their end."""
