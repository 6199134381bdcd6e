"""What builds repositories: the port to it, the runs that it shows, and the actions that its workflows use."""
