"""Real programs, started on loopback and ended by their own id."""
