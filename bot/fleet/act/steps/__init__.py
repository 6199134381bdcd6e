"""Workflows that run after a build, started."""
