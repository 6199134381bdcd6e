"""The images that the fleet produces, and what they stand on."""
