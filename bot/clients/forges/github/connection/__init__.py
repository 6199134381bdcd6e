"""How GitHub is spoken to: signing in, one request at a time, its limits, and its answers as values."""
