"""Deployment records of what runs."""
