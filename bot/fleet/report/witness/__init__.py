"""Whether the bot was here before its store: then it waits for a person."""
