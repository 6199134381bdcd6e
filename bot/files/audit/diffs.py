"""What edits change of a text, as a unified diff, in time that grows with the edits and not with the text."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from bot.domain.repositories.usage import Edit
from bot.files.formats.source.text import Lines, encode

_CONTEXT = 3
"""Lines around a change that a unified diff shows."""
_APART = 2 * _CONTEXT + 1
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
        hunks += _hunks(old, new, first - 1, moved)
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


def _hunks(old: Sequence[str], new: Sequence[str], above: int, moved: int) -> Iterator[str]:
    """The hunks of a part of a file that `above` lines stand before, of which edits have made `moved` more."""
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(above, first[1], last[2])} +{_range(above + moved, first[3], last[4])} @@\n"
        for tag, old_begin, old_end, new_begin, new_end in group:
            if tag == "equal":
                yield from (_line(" ", line) for line in old[old_begin:old_end])
                continue
            yield from (_line("-", line) for line in old[old_begin:old_end])
            yield from (_line("+", line) for line in new[new_begin:new_end])


def _line(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _range(above: int, begin: int, end: int) -> str:
    """Lines as the head of a hunk names them: from 1, and by the line before where there are none."""
    length = end - begin
    first = above + begin + (1 if length else 0)
    return str(first) if length == 1 else f"{first},{length}"
