"""Shell patterns in Dockerfile substitutions: `${X#*.}`, `${X%-*}`, `${X/a/b}`.

The rules are those of BuildKit's `convertShellPatternToRegex`: `*` and `?` without brackets. Its regular
expressions never backtrack; Python's do, so the ones made here have nothing to backtrack into.
"""

import re

from bot.files.formats.source.spanned import Spanned

LONGEST_PATTERN = 128
LONGEST_VALUE = 512


class BadPattern(ValueError):
    """Docker would refuse the pattern, or it is too long to be meant."""


def without_prefix(value: Spanned, pattern: str) -> Spanned:
    """`${value#pattern}`; a doubled sign leaves its second one in front of the pattern and asks for the longest."""
    longest = pattern.startswith("#")
    match = _compile_tokens(_tokens(pattern[longest:]), longest).match(_matchable(value.text))
    return value.part(match.end(), len(value)) if match else value


def without_suffix(value: Spanned, pattern: str) -> Spanned:
    """`${value%pattern}`: the value without the end that fits; a doubled sign asks for the longest one."""
    longest = pattern.startswith("%")
    tokens = _tokens(pattern[longest:])[::-1]
    match = _compile_tokens(tokens, longest).match(_matchable(value.text)[::-1])
    return value.part(0, len(value.text) - match.end()) if match else value


def replaced(value: Spanned, pattern: str, replacement: Spanned, everywhere: bool) -> list[Spanned]:
    """The parts of `${value/pattern/replacement}`, of `${value//pattern/replacement}` where it is `everywhere`."""
    parts: list[Spanned] = []
    position = 0
    for match in _compile_tokens(_tokens(pattern), longest=True).finditer(_matchable(value.text)):
        parts += (value.part(position, match.start()), replacement)
        position = match.end()
        if not everywhere:
            break
    return [*parts, value.part(position, len(value))]


def _matchable(text: str) -> str:
    if len(text) > LONGEST_VALUE:
        raise BadPattern(f"a pattern is asked of a value of more than {LONGEST_VALUE} characters")
    return text


def _tokens(pattern: str) -> list[str]:
    """Regular expressions for the pattern's characters; `*` stays `*`."""
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"a pattern has more than {LONGEST_PATTERN} characters")
    tokens: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\":
            position += 1
            char = pattern[position : position + 1]
            if char not in ("*", "?", "\\", "}", "/"):
                raise BadPattern(f"'\\{char}' is no escape in a pattern")
            tokens.append(re.escape(char))
        else:
            tokens.append("*" if char == "*" else "." if char == "?" else re.escape(char))
        position += 1
    return tokens


def _compile_tokens(tokens: list[str], longest: bool) -> re.Pattern[str]:
    """Earliest matches are final for all stars but the last, so matching never backtracks into them."""
    segments = [""]
    for part in tokens:
        if part == "*":
            segments.append("")
        else:
            segments[-1] += part
    if len(segments) == 1:
        return re.compile(segments[0])
    middle = "".join(f"(?>.*?{segment})" for segment in segments[1:-1])
    return re.compile(f"{segments[0]}{middle}.*{'' if longest else '?'}{segments[-1]}")
