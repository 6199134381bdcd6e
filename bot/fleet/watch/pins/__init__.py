"""What pinned digests hold that their bases have left before the bot came."""
