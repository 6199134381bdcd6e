"""What the bot does with a fleet: a folder for each stage, in the order in which data flows."""
