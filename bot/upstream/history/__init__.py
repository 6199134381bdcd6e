"""History as files: the log of observations and releases, and a clone of Microsoft's inventory."""
