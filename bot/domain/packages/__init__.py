"""Packages: what is inside an image, in which version, and what differs between two."""
