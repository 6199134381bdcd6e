"""What a new store takes up again of what the forge has open."""
