"""Digests that nothing is to be rebuilt on."""
