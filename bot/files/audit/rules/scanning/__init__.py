"""Whether images are scanned, and what follows from it."""
