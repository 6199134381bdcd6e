"""What a machine without a network takes in from a file."""
