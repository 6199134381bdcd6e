"""Where maintainers read, one module for each kind of channel."""
