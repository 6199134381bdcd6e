"""Variables in Compose files, by the rules of the Compose specification's chapter on interpolation."""

import re
from collections.abc import Mapping

from bot.files.formats.source.spanned import Spanned, joined

DEEPEST_DEFAULT = 10
_VARIABLE = re.compile(r"\$(?:(?P<escape>\$)|(?P<open>\{)|(?P<name>[A-Za-z_]\w*))")
_BRACE = re.compile(r"\$\{|\}")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<rest>(?s:.*)))?")


def interpolated(
    written: Spanned, environment: Mapping[str, Spanned], depth: int = 0
) -> tuple[Spanned, tuple[str, ...]]:
    """The text as it is where only `environment` is set, and the names of variables without a value or a default.

    These stay in the text as they were written: only the machine that runs it knows what they are.
    """
    parts: list[Spanned] = []
    unknown: list[str] = []
    done = 0
    while found := _VARIABLE.search(written.text, done):
        parts.append(written.part(done, found.start()))
        if found["escape"]:
            parts.append(written.part(found.start() + 1, found.end()))
            done = found.end()
            continue
        end = _closing(written.text, found.end()) if found["open"] else found.end()
        value, names = _value(written, found, end, environment, depth)
        parts.append(value)
        unknown += names
        done = end
    return joined([*parts, written.part(done, len(written))]), tuple(unknown)


def _value(
    written: Spanned, found: re.Match[str], end: int, environment: Mapping[str, Spanned], depth: int
) -> tuple[Spanned, tuple[str, ...]]:
    as_written = written.part(found.start(), end)
    if not found["open"]:
        known = environment.get(found["name"])
        return (as_written, (found["name"],)) if known is None else (known, ())
    inside = _INSIDE.fullmatch(written.text, found.end(), end - 1)
    if inside is None or depth >= DEEPEST_DEFAULT:
        return as_written, (as_written.text,)
    operator = inside["operator"] or ""
    known = environment.get(inside["name"])
    is_set = known is not None and not (operator.startswith(":") and not known.text)
    if operator.endswith("+"):
        rest = written.part(*inside.span("rest")) if is_set else written.part(end, end)
        return interpolated(rest, environment, depth + 1)
    if known is not None and is_set:
        return known, ()
    if operator.endswith("-"):
        return interpolated(written.part(*inside.span("rest")), environment, depth + 1)
    return as_written, (inside["name"],)


def _closing(text: str, start: int) -> int:
    """Just past the brace that closes the one before `start`, or the end of the text."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace.group() == "${" else -1
        if depth == 0:
            return brace.end()
    return len(text)
