"""Variables in Compose files, by the rules of the Compose specification's chapter on interpolation."""

import re
from collections.abc import Mapping

from bot.files.formats.source.spanned import Spanned, joined

DEEPEST_DEFAULT = 10
_VARIABLE = re.compile(r"\$(?:(?P<escape>\$)|(?P<open>\{)|(?P<name>[A-Za-z_]\w*))")
_BRACE = re.compile(r"\$\{|\}")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<rest>(?s:.*)))?")


def interpolated(
    text: Spanned, environment: Mapping[str, Spanned], depth: int = 0
) -> tuple[Spanned, tuple[str, ...]]:
    """The text as it is where only `environment` is set, and the names of variables without a value or a default.

    These stay in the text as they were written: only the machine that runs it knows what they are.
    """
    parts: list[Spanned] = []
    unknown: list[str] = []
    done = 0
    while match := _VARIABLE.search(text.text, done):
        parts.append(text.part(done, match.start()))
        if match["escape"]:
            parts.append(text.part(match.start() + 1, match.end()))
            done = match.end()
            continue
        end = _closing(text.text, match.end()) if match["open"] else match.end()
        value, names = _value(text, match, end, environment, depth)
        parts.append(value)
        unknown += names
        done = end
    return joined([*parts, text.part(done, len(text))]), tuple(unknown)


def _value(
    text: Spanned, match: re.Match[str], end: int, environment: Mapping[str, Spanned], depth: int
) -> tuple[Spanned, tuple[str, ...]]:
    as_written = text.part(match.start(), end)
    if not match["open"]:
        value = environment.get(match["name"])
        return (as_written, (match["name"],)) if value is None else (value, ())
    inside = _INSIDE.fullmatch(text.text, match.end(), end - 1)
    if inside is None or depth >= DEEPEST_DEFAULT:
        return as_written, (as_written.text,)
    operator = inside["operator"] or ""
    value = environment.get(inside["name"])
    is_set = value is not None and not (operator.startswith(":") and not value.text)
    if operator.endswith("+"):
        alternative = text.part(*inside.span("rest")) if is_set else text.part(end, end)
        return interpolated(alternative, environment, depth + 1)
    if value is not None and is_set:
        return value, ()
    if operator.endswith("-"):
        return interpolated(text.part(*inside.span("rest")), environment, depth + 1)
    return as_written, (inside["name"],)


def _closing(text: str, start: int) -> int:
    """Just past the brace that closes the one before `start`, or the end of the text."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace.group() == "${" else -1
        if depth == 0:
            return brace.end()
    return len(text)
