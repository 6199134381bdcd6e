"""Software bills of materials: SPDX 2.3 and CycloneDX, read and written as JSON."""
