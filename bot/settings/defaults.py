"""What holds without any settings file, kept apart so that a command which needs no more starts at once."""

REGISTRY = "mcr.microsoft.com"
"""The only registry that is contacted unless others are named."""
BASES = (f"{REGISTRY}/dotnet/*",)
"""Globs: which references are watched."""
