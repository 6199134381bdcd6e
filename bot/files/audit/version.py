"""Which answers the rules give: by this number what was found before is known to be found by other rules."""

VERSION = 91
"""Raised when a rule's answer changes for texts that do not: what is kept by blob is then read again."""
