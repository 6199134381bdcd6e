"""Reports of scanners among what workflow runs leave behind."""
