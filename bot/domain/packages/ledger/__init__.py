"""Where fixes are on their way from their publisher to what manifests name."""
