"""A cluster on this machine, as far as its API server lists pods."""
