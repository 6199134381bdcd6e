"""How stores get their tables."""
