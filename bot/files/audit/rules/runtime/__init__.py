"""What containers may do while they run."""
