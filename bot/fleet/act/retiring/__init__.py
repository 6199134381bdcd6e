"""What the bot leaves behind where it is to write nothing any more is taken back."""
