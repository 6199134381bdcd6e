"""What people read in a pull request, and the part of its body that is the bot's own."""
