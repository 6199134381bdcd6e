"""What `report` reads and writes."""
