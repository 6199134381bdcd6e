"""What the builds in a repository's files leave in registries."""
