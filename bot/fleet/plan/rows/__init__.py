"""What planning asks the store."""
