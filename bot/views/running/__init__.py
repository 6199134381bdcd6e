"""What is shown of running containers: where they run, and where they have a CVE."""
