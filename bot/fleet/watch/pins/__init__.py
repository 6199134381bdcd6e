"""What digests hold that repositories pin, and that their bases have left before the bot came."""
