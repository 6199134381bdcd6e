"""Bases and the images that stand on them: what they show, why they changed, what came with it."""
