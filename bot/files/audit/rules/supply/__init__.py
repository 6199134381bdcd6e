"""Where images come from: SBOM, provenance, signatures, and who checks them."""
