"""What of a repository's texts is a secret: told by names, and never shown."""
