"""Bases, how late upstream and mirrors are, and advisories, as pages show them."""
