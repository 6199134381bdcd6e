"""Variables in Compose files, by the rules of the Compose specification's chapter on interpolation."""

import re

from bot.formats.source.spanned import Spanned, joined

DEEPEST_DEFAULT = 10
_VARIABLE = re.compile(r"\$(?:(?P<escape>\$)|(?P<open>\{)|(?P<name>[A-Za-z_]\w*))")
_BRACE = re.compile(r"\$\{|\}")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<rest>(?s:.*)))?")


def interpolated(written: Spanned, depth: int = 0) -> tuple[Spanned, tuple[str, ...]]:
    """The text as it is where no variable is set, and the names of those without a default.

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
        value, names = _value(written, found, end, depth)
        parts.append(value)
        unknown += names
        done = end
    return joined([*parts, written.part(done, len(written))]), tuple(unknown)


def _value(written: Spanned, found: re.Match[str], end: int, depth: int) -> tuple[Spanned, tuple[str, ...]]:
    as_written = written.part(found.start(), end)
    if not found["open"]:
        return as_written, (found["name"],)
    inside = _INSIDE.fullmatch(written.text, found.end(), end - 1)
    if inside is None or depth >= DEEPEST_DEFAULT:
        return as_written, (as_written.text,)
    if inside["operator"] in {":-", "-"}:
        return interpolated(written.part(*inside.span("rest")), depth + 1)
    if inside["operator"] in {":+", "+"}:
        return written.part(end, end), ()
    return as_written, (inside["name"],)


def _closing(text: str, start: int) -> int:
    """Just past the brace that closes the one before `start`, or the end of the text."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace.group() == "${" else -1
        if depth == 0:
            return brace.end()
    return len(text)
