"""Files at hand, checked and changed."""
