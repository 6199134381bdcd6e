"""Dispatched workflows: a run for each rebuild and each step, asked for once."""
