"""Development container definitions."""
