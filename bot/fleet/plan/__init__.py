"""Changes, usages and policy to rollouts and rebuilds, each decision with its reason."""
