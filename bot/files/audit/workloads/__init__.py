"""What runs: the containers of manifests, kustomizations and charts, and the services of Compose files."""
