"""What this stage asks the store."""
