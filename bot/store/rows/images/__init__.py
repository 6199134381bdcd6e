"""Rows of the images that the fleet builds: what they show, what was attached to them, and what the gate says."""
