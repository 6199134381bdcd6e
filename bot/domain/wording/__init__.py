"""Words: how every surface puts numbers, versions and messages, and how text from outside is made harmless."""
