"""What the commands call by which a person has a word."""
