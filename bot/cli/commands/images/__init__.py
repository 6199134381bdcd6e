"""Commands about images: what the fleet builds, signatures, scanner reports, packages."""
