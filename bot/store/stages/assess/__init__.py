"""What `assess` reads and writes."""
