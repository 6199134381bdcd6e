"""Findings → small commits that make their checks hold, proved by judging again; all else is left. Pure."""
