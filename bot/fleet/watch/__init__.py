"""Registries and feeds to observations and advisories."""
