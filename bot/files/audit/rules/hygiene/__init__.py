"""Pins, rebuilds, and what keeps the bot from reading or starting a build."""
