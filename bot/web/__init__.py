"""Dashboard, health and metrics are to come; nothing is served yet."""
