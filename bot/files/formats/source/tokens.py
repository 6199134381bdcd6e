"""Cutting a small language into tokens by one pattern."""

import re


def tokens_of(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]] | None:
    """The tokens of a text, each with the name of the group of `pattern` that it matched.

    None where something in the text is no token. White space before a token belongs to the pattern.
    """
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = pattern.match(text, at)
        if found is None or found.lastgroup is None:
            return None
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens
