"""A statement of the bot's own beside each fresh image, so that an admission controller can ask for it."""
