"""Advisory feeds, read when they are due."""
