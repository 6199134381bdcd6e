"""Vulnerabilities in the format of OSV: dumps of ecosystems → what of them touches the packages of the fleet."""
