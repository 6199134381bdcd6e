"""What a store that is new takes up again of what the forge has open: the store before it was lost."""
