"""What could be done about findings, for people to look at first: edits that may need more than the file shows."""
