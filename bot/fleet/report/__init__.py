"""What maintainers read: text and blocks only."""
