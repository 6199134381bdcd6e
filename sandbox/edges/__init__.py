"""What stands before each part: it counts, adds what the part lacks, and fails on request."""
