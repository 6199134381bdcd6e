"""Reads the forge's repositories that changed, and keeps the usages that they name."""
