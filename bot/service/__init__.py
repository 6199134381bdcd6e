"""The long-running process: the only room, with `cli`, that wires the others together."""
