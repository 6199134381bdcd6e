"""Own bases, in order: the rest waits for its parents' new layers."""
