"""Rows of rollouts: rebuilds, their steps, what holds them back, and what was written for them."""
