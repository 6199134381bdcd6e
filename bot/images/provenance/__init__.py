"""Provenance: what a build says it was made of, by whom it is said, and how much of that is proved."""
