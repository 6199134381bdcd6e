"""Secrets that stand where others can read them."""
