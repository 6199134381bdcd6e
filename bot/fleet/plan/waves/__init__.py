"""Rollouts on their way, wave by wave."""
