"""Vulnerabilities, in the format of OSV and in Azure Linux's OVAL → what of them touches the fleet's packages."""
