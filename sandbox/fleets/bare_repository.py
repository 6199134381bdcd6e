"""A repository as many are before anybody has looked at its practices, for onboarding."""

BUILD = ".github/workflows/build.yml"
DEPLOYMENT = "deploy/shop.yaml"

_WORKFLOW = """\
name: Build
# Everything below is ours.
on:
  push:
    branches: [main]

jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/login-action@v3
        with:
          registry: ghcr.io
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6   # pushes
        id: build
        with:
          push: true
          cache-from: type=gha
          tags: ghcr.io/contoso/shop:latest
      - uses: aquasecurity/trivy-action@0.33.1
        with:
          image-ref: ghcr.io/contoso/shop:latest
"""
_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    spec:
      containers:
        - name: shop   # the only one
          image: ghcr.io/contoso/shop:latest
"""


def bare_files() -> dict[str, bytes]:
    """A Dockerfile on one patch, a workflow that builds on push alone, a manifest without a security context."""
    return {
        "Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:8.0.11\nCOPY app /app\n",
        BUILD: _WORKFLOW.encode(),
        DEPLOYMENT: _MANIFEST.encode(),
    }
