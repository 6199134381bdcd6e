"""The weekly rebuild: whose last build grows too old, and the rollout that follows."""
