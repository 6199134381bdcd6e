"""Own bases, in order: only the frontier is rebuilt, the rest waits for its parents' new layers."""
