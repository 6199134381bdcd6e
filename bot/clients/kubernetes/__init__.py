"""Clusters, of which pods are listed and nothing else is asked."""
