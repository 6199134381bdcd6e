"""What is old is forgotten."""
