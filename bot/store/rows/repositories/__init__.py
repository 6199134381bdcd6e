"""Rows of repositories: their files, builds and issue, what the audit found, and how they stand."""
