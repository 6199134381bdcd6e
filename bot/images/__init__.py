"""What images show: packages, signatures, provenance and standing, read from their bytes."""
