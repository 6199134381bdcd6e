"""The public feeds, and Microsoft's record, as they would tell of the sandbox."""
