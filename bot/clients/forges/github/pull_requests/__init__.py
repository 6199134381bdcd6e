"""Pull requests and issues: what is read before a write, and the writes."""
