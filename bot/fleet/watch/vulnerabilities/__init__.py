"""CVE data of distributions and of OSV, read when it is due."""
