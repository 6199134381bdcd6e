"""Kubernetes manifests, Helm values and kustomizations."""
