"""A Prometheus, as far as it has kept what kube-state-metrics told of containers."""
