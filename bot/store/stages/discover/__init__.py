"""What `discover` reads and writes."""
