"""What edits change of a text, as a unified diff, in time that grows with the edits and not with the text."""

from collections.abc import Iterable, Iterator, Sequence

from bot.domain.repositories.onboarding import CONTEXT, hunks_of
from bot.domain.repositories.usage import Edit
from bot.files.formats.source.text import Lines, encode

_APART = 2 * CONTEXT + 1
"""From so many lines between them on, two changes have a hunk each."""


def diff_of_edits(path: str, text: str, lines: Lines, edits: Iterable[Edit]) -> str:
    """The change of one file by edits that do not overlap; empty where they change nothing.

    `lines` are those of `text`. Bytes that are no UTF-8 are replaced, as `unified_diff` does it.
    """
    hunks: list[str] = []
    moved = 0
    for cluster in _clusters(lines, sorted(edits, key=lambda edit: edit.span)):
        first = max(1, _first_line(lines, cluster[0]) - _APART)
        last = min(len(lines), _last_line(lines, cluster) + _APART)
        begin, end = 0 if first == 1 else lines.start(first), lines.end(last)
        old = _lines_of(text[begin:end])
        new = _lines_of(_with(text, begin, end, cluster))
        hunks += hunks_of(old, new, first - 1, moved)
        moved += len(new) - len(old)
    return "".join((f"--- a/{path}\n", f"+++ b/{path}\n", *hunks)) if hunks else ""


def _clusters(lines: Lines, edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """The edits in groups that are so far apart that no line is shown for two of them."""
    cluster: list[Edit] = []
    for edit in edits:
        if cluster and _first_line(lines, edit) - _last_line(lines, cluster) > 2 * _APART:
            yield cluster
            cluster = []
        cluster.append(edit)
    if cluster:
        yield cluster


def _first_line(lines: Lines, edit: Edit) -> int:
    return lines.at(edit.span.start)


def _last_line(lines: Lines, edits: Sequence[Edit]) -> int:
    return lines.at(edits[-1].span.end)


def _with(text: str, begin: int, end: int, edits: Sequence[Edit]) -> str:
    parts, position = [], begin
    for edit in edits:
        parts += [text[position : edit.span.start], edit.text]
        position = edit.span.end
    return "".join((*parts, text[position:end]))


def _lines_of(text: str) -> list[str]:
    return encode(text).decode("utf-8", "replace").splitlines(keepends=True)
