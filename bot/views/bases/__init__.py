"""Bases: what they show, why they changed, how late upstream and mirrors are, and what stands on them."""
