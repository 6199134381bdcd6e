"""Repositories, their branches, and the rules of these."""
