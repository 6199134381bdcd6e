"""Docker Bake files in HCL and JSON."""
