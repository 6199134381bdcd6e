"""Looks at the bases' digests in registries and keeps what they moved to as observations."""
