"""Frozen values and pure rules in the words of the design. No input or output."""
