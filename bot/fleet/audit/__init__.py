"""Repositories of the fleet, audited when their files change."""
