"""A statement of the bot's own beside each fresh image, for an admission controller."""
