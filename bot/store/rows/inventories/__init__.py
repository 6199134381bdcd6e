"""Rows of what is inside images: layers, packages, what SBOMs list, and what dumps say of them."""
