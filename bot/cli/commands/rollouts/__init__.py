"""A person has a word in what the fleet is told to do."""
