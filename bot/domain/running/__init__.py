"""What runs: the containers that a source tells of, and from when until when each build ran in a place."""
