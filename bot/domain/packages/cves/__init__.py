"""Vulnerabilities: as they are published, as they are found in an image, and as moves of bases fix them."""
