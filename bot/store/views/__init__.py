"""What the commands ask of the store: how things stand, and why."""
