"""What runs: clusters are listed, and what they run is matched with the images that are known."""
