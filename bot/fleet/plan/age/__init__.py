"""The weekly rebuild of what grows too old."""
