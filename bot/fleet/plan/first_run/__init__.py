"""What was behind already when the bot first saw it."""
