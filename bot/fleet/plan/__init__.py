"""Changes, usages and policy to rollouts and rebuilds, each with its reason."""
