"""Repositories are brought to the practices by small pull requests."""
