"""Reports of scanners: one module for each form."""
