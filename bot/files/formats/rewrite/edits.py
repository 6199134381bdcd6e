"""From one reference to another: which characters of which files must change."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Edit, Piece, Span, Usage
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.table import format_of

_NO_TEXT = re.compile(
    r"[-+]?(?:0x[0-9a-f_]+|0o?[0-7_]+|0b[01_]+|\.inf|\.nan"
    r"|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:e[-+]?[0-9]+)?)"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|true|false|yes|no|on|off|y|n|null|~",
    re.A | re.I,
)
"""What YAML takes for a number, a date, a truth value or nothing where it is not quoted."""
_ROOM = 1 << 21
"""More characters than any file has: places in the n-th file of a usage begin at n times that."""
_BEFORE_PLAIN = re.compile(r"[:,{\[]\s+(?:[&!]\S*\s+)?\Z")


class CannotEdit(Exception):
    """No characters of the file can be changed so that the reference becomes the other; the message says why."""


def edits_for(usage: Usage, new: Reference, texts: Mapping[str, str]) -> tuple[Edit, ...]:
    """Returns the edits that make a usage's reference `new`: each part is changed where it stands, a digest is
    added behind the tag. Raises `CannotEdit`.

    `texts` holds at least the files that the usage stands in.
    """
    if usage.fixed_because is not None:
        raise CannotEdit(usage.fixed_because)
    old = usage.reference
    reference = _place_reference(usage, texts[usage.path])
    name_end = len(old.name)
    tag_end = name_end if old.tag is None else name_end + 1 + len(old.tag)
    edits: list[_Change] = []
    if new.name != old.name:
        edits += _replace_part(reference.part(0, name_end), new.name)
    edits += _change_part(reference, name_end, tag_end, ":", new.tag, usage)
    edits += _change_part(reference, tag_end, len(reference), "@", new.digest, usage)
    in_files = _merge_edits(_in_file(edit, usage) for edit in edits)
    return tuple(_smallest(_still_text(edit, usage, texts[edit.path]), texts[edit.path]) for edit in in_files)


def applied(edits: Iterable[Edit], texts: Mapping[str, str]) -> Mapping[str, str] | None:
    """The texts that change, after all edits, equal ones made once; None where two of them want the same place."""
    done: dict[str, str] = {}
    for path, of_file in groupby(sorted(set(edits)), key=lambda edit: edit.path):
        text = texts[path]
        parts: list[str] = []
        position, last = 0, None
        for edit in of_file:
            if edit.span.start < position or edit.span == last:
                return None
            parts += (text[position : edit.span.start], edit.text)
            position, last = edit.span.end, edit.span
        done[path] = "".join([*parts, text[position:]])
    return done


class _Change(NamedTuple):
    """An edit whose place is counted through all files of a usage."""

    span: Span
    text: str


def _in_file(change: _Change, usage: Usage) -> Edit:
    number, start = divmod(change.span.start, _ROOM)
    return Edit(usage.paths[number], Span(start, start + change.span.end - change.span.start), change.text)


def _place_reference(usage: Usage, text: str) -> Spanned:
    """The reference with the place of each of its characters, as far as the usage tells; `text` is its file's."""
    whole = str(usage.reference)
    places = [-1] * len(whole)
    for piece in usage.pieces or _pieces(usage, text):
        first = _first(piece, usage)
        for step in range(piece.span.end - piece.span.start):
            places[piece.at + step] = first + step
    return Spanned(whole, places)


def _first(piece: Piece, usage: Usage) -> int:
    """Where a piece begins, counted through all files of the usage."""
    shift = 0 if piece.path is None else usage.paths.index(piece.path) * _ROOM
    return piece.span.start + shift


def _pieces(usage: Usage, text: str) -> Iterator[Piece]:
    """What the spans of a usage tell, which may be one for the whole, one for each part, or one within a part."""
    reference, whole = usage.reference, str(usage.reference)
    if usage.span is not None and usage.span.of(text) == whole:
        yield Piece(0, usage.span)
        return
    tag_at = len(reference.name) + 1
    digest_at = len(whole) - len(reference.digest or "")
    if usage.name_span is not None:
        yield Piece(0, usage.name_span)
    if usage.tag_span is not None:
        yield Piece(tag_at, usage.tag_span)
    if usage.digest_span is not None:
        yield Piece(digest_at, usage.digest_span)
    if usage.span not in (None, usage.name_span, usage.tag_span, usage.digest_span):
        begin = tag_at if reference.tag is not None else digest_at if reference.digest is not None else 0
        offset = whole.find(usage.span.of(text), begin)
        if offset >= 0:
            yield Piece(offset, usage.span)


def _change_part(
    reference: Spanned, start: int, end: int, sign: str, new: str | None, usage: Usage
) -> list[_Change]:
    """Edits for the tag or the digest, which stands with its sign at `[start, end)` if it stands at all."""
    old = reference.text[start + 1 : end] if end > start else None
    if new == old:
        return []
    if new is None:
        return _remove_part(reference, start, end)
    if old is None:
        is_apart = sign == "@" and usage.assembled and usage.reference.tag is not None
        if is_apart and (instead := format_of(usage.kind).instead_of_digest):
            raise CannotEdit(instead)
        return [_Change(_place_behind(reference, start, usage), sign + new)]
    return _replace_part(reference.part(start + 1, end), new)


def _remove_part(reference: Spanned, start: int, end: int) -> list[_Change]:
    span = reference.span(start, end)
    if span is None:
        raise CannotEdit(f"{reference.text[start:end]} cannot be taken out: it is put together from several places")
    return [_Change(span, "")]


def _place_behind(reference: Spanned, start: int, usage: Usage) -> Span:
    """Where text is added behind the first `start` characters."""
    if start == len(reference) and usage.pieces and usage.pieces[-1].at == start:
        end = _first(usage.pieces[-1], usage)
        return Span(end, end)
    place = reference.places[start - 1]
    if place < 0:
        raise CannotEdit(
            f"nothing can be added behind {reference.text[:start]}: its end does not stand in the file"
        )
    return Span(place + 1, place + 1)


def _replace_part(part: Spanned, new: str) -> list[_Change]:
    """The part as a whole where it stands in one piece, else only what differs, else piece by piece."""
    if span := part.span(0, len(part)):
        return [_Change(span, new)]
    same = _common_start(part.text, new)
    same_end = _common_start(part.text[same:][::-1], new[same:][::-1])
    middle = part.part(same, len(part) - same_end)
    text = new[same : len(new) - same_end]
    if span := middle.span(0, len(middle)):
        return [_Change(span, text)]
    if not middle and same and (place := part.places[same - 1]) >= 0:
        return [_Change(Span(place + 1, place + 1), text)]
    if not middle and same_end and (place := part.places[same]) >= 0:
        return [_Change(Span(place, place), text)]
    return _piecewise(part, new)


def _piecewise(part: Spanned, new: str) -> list[_Change]:
    """Each piece takes its share of the new text: between hyphens (`8.0` `-` `noble`), else between dots too."""
    shares = [match.span() for match in re.finditer("[^-]+", part.text)]
    try:
        return _shared_out(part, shares, new.split("-", len(shares) - 1), new)
    except CannotEdit:
        if re.sub("[^-.]+", "", part.text) != re.sub("[^-.]+", "", new):
            raise
        shares = [match.span() for match in re.finditer("[^-.]+", part.text)]
        return _shared_out(part, shares, re.findall("[^-.]+", new), new)


def _shared_out(part: Spanned, shares: Sequence[tuple[int, int]], texts: Sequence[str], new: str) -> list[_Change]:
    if len(shares) != len(texts) or any(not text for text in texts):
        raise CannotEdit(f"{part.text} is put together from several places, and {new} does not fit them")
    edits: list[_Change] = []
    for share, text in zip(shares, texts, strict=True):
        if text == part.text[slice(*share)]:
            continue
        span = part.span(*share)
        if span is None:
            raise CannotEdit(f"{part.text[slice(*share)]} in {part.text} does not stand in one piece")
        edits.append(_Change(span, text))
    return edits


def _still_text(edit: Edit, usage: Usage, text: str) -> Edit:
    """Quotes a tag under a key of its own that would become a number: a chart makes 1.2 of `tag: 1.20`."""
    before = text[max(0, edit.span.start - 80) : edit.span.start]
    if (
        not format_of(usage.kind).quotes_tags
        or edit.span != usage.tag_span
        or not usage.assembled
        or _NO_TEXT.fullmatch(edit.span.of(text))
        or not _NO_TEXT.fullmatch(edit.text)
        or not _BEFORE_PLAIN.search(before)
    ):
        return edit
    return replace(edit, text=f'"{edit.text}"')


def _smallest(edit: Edit, text: str) -> Edit:
    """Cuts the ends that stay off an edit, so that all who share a variable ask for the same edit of it."""
    old, new = edit.span.of(text), edit.text
    same = _common_start(old, new)
    same_end = _common_start(old[same:][::-1], new[same:][::-1])
    span = Span(edit.span.start + same, edit.span.end - same_end)
    return Edit(edit.path, span, new[same : len(new) - same_end])


def _common_start(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return next((position for position in range(shorter) if one[position] != other[position]), shorter)


def _merge_edits(edits: Iterable[Edit]) -> list[Edit]:
    """Edits that follow each other in the file as one."""
    merged: list[Edit] = []
    for edit in edits:
        if merged and merged[-1].path == edit.path and merged[-1].span.end == edit.span.start:
            before = merged.pop()
            edit = Edit(edit.path, Span(before.span.start, edit.span.end), before.text + edit.text)
        merged.append(edit)
    return merged
