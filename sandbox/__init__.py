"""A small world on loopback: registry, GitHub, Slack and feeds."""
