"""Cutting a small language into tokens by one pattern."""

import re


def tokens_of(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]] | None:
    """The tokens of a text, each with the name of the group of `pattern` that it matched.

    None where something in the text is no token. White space before a token belongs to the pattern.
    """
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None or match.lastgroup is None:
            return None
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens
