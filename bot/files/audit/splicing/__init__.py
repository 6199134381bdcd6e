"""Edits of texts that leave every other byte as it was."""
