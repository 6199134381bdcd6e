"""Who asks GitHub, what they may, and how much."""
