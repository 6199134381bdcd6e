"""Rollouts on their way: wave by wave, how fast, and what each rebuild waits for."""
