"""Rollouts and rebuilds: how far they have come, and what a policy makes of a change."""
