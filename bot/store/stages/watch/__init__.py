"""What `watch` reads and writes."""
