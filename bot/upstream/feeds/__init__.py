"""Parsers of the release and advisory feeds: bytes → frozen values and named problems."""
