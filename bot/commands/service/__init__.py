"""What the commands call that set up, ask after and end the service."""
