"""Rows of bases: what was observed and released, and what is wrong or to be noticed about them."""
