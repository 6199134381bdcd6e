"""The one issue of each repository, in which the bot says what it has to say."""
