"""What .NET's releases, versions and tags tell of an image."""
