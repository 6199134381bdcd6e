"""Brings a rebuild's pull request to the wanted content, from wherever it stands."""
