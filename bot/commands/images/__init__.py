"""What the commands about images call."""
