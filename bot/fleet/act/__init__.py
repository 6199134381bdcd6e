"""Rebuilds to pull requests and dispatches."""
