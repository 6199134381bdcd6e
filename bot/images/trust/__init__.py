"""Trust before acting: the signatures that a registry shows for a digest, judged by the operator's rules."""
