"""Findings, as a repository's code scanning shows them."""
