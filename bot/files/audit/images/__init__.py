"""Images as the audit sees them: the Dockerfiles they are built from, and the users that they run as."""
