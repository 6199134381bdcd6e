"""The images that the fleet produces: looked at, and told what they stand on."""
