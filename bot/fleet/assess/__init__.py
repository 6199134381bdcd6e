"""Observations and advisories to changes: why a base changed and whom it concerns."""
