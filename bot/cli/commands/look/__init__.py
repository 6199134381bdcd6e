"""What the store knows, shown."""
