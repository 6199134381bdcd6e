"""A Prometheus on this machine, as far as it answers what ran in a cluster."""
