"""Docker Compose files."""
