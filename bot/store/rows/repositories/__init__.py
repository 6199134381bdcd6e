"""Rows of repositories: their files, builds, images and issue, and how they stand."""
