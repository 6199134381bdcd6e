"""What runs: sources, what they tell of, and which builds of images it is."""
