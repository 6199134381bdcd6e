"""What files say: texts to usages and findings, and back to new texts."""
