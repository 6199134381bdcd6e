"""What the commands call that show what the store knows."""
