"""Repositories: what the forge lists, what their files name, and what they ask for themselves."""
