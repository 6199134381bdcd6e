"""Looks at the bases' digests and keeps what they moved to as observations."""
