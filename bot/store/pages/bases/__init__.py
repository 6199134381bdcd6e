"""Bases, their images, packages and advisories, as pages show them."""
