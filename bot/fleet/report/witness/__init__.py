"""Whether the bot was here before its store was: then it waits for a person."""
