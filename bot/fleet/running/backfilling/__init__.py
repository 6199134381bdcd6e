"""The past of a source, from before its own first list, as a Prometheus has kept it."""
