"""Workflows and their runs as GitHub plays them."""
