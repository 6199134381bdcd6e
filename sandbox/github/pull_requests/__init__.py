"""What happens to pull requests at GitHub."""
