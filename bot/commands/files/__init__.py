"""What the commands about files at hand call."""
