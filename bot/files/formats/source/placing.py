"""Places in several files: a reference may be put together from parts that stand in as many of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.domain.repositories.usage import FileLine, Piece, Span, Usage
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import Lines

ROOM = 1 << 21
"""More characters than any file has: places in the n-th of several files begin at n times that."""


def placed_later(text: Spanned, files: int) -> Spanned:
    """Moves the places of a text to those of a file that comes `files` files later."""
    shift = files * ROOM
    if not shift:
        return text
    if isinstance(text.places, range):
        return Spanned(text.text, range(text.places.start + shift, text.places.stop + shift))
    return Spanned(text.text, tuple(place + shift if place >= 0 else place - shift for place in text.places))


def located(place: int, paths: Sequence[str]) -> tuple[str, int]:
    """The file among `paths` that a place belongs to, and the offset there."""
    number, offset = divmod(place, ROOM)
    return paths[number], offset


def placed(
    usage: Usage, locate: Callable[[int], tuple[str, int]], lines_of: Callable[[str], Lines], named_at: FileLine
) -> Usage:
    """A usage with places counted through several files → one with places in each file.

    Its file is the one that holds the version in the tag, or whatever else decides it.
    """
    if usage.span is None:
        return replace(usage, path=named_at.path, line=named_at.line)
    places_of_pieces = {piece: locate(piece.span.start) for piece in usage.pieces}
    is_elsewhere = any(path != named_at.path for path, _ in places_of_pieces.values())
    span = _decisive(usage) if is_elsewhere else usage.span
    path, start = locate(span.start)
    shift = span.start - start

    def there(part: Span | None) -> Span | None:
        if part is None or locate(part.start)[0] != path:
            return None
        return Span(part.start - shift, part.end - shift)

    return replace(
        usage,
        path=path,
        line=lines_of(path).at(start),
        span=there(span),
        tag_span=there(usage.tag_span),
        digest_span=there(usage.digest_span),
        name_span=there(usage.name_span),
        pieces=tuple(
            Piece(
                piece.at,
                Span(offset, offset + piece.span.end - piece.span.start),
                None if file == path else file,
            )
            for piece, (file, offset) in places_of_pieces.items()
        ),
        named_at=None if path == named_at.path else named_at,
    )


def _decisive(usage: Usage) -> Span:
    """The piece of the tag (else the digest, else the name) that holds its first digit, else the last one."""
    reference, whole = usage.reference, str(usage.reference)
    start = len(reference.name) + 1 if reference.tag or reference.digest else 0
    end = start + len(reference.tag or reference.digest or reference.name)
    parts: list[tuple[int, Span]] = []
    for piece in usage.pieces:
        begin, stop = max(start, piece.at), min(end, piece.at + piece.span.end - piece.span.start)
        if begin < stop:
            first = piece.span.start - piece.at
            parts.append((begin, Span(first + begin, first + stop)))
    with_digit = [
        span
        for begin_of_part, span in parts
        if any(character.isdigit() for character in whole[begin_of_part : begin_of_part + span.end - span.start])
    ]
    assert usage.span is not None
    return with_digit[0] if with_digit else parts[-1][1] if parts else usage.span
