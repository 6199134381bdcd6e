"""One store for each stage, under its stage's name."""
