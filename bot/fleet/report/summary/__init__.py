"""Summaries at the times that the settings name."""
