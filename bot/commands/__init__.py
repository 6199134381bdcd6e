"""What each command calls: one task at a time, from the store or from files at hand."""
