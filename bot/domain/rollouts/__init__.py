"""Rollouts: what is to be rebuilt, in which order and under which terms, and what people told."""
