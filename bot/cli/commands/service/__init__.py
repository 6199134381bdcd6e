"""The service: set up, run, asked how it is, and ended for good."""
