"""Lists the forge's repositories, reads those that changed, and keeps the usages that they name."""
