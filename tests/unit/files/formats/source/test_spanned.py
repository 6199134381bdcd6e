"""Text that remembers where its characters stand."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.usage import Piece, Span
from bot.files.formats.source.spanned import Spanned, joined

FILE = "image: ${NAME:-ubuntu}:${TAG:-22.04}"


def at(start: int, end: int) -> Spanned:
    return Spanned(FILE[start:end], range(start, end))


def test_a_text_in_one_piece_has_one_span() -> None:
    assert at(15, 21).span(0, 6) == Span(15, 21)


def test_a_text_from_two_places_has_a_span_only_within_each() -> None:
    reference = joined([at(15, 21), at(22, 23), at(30, 35)])

    assert reference.text == "ubuntu:22.04"
    assert reference.span(0, 12) is None
    assert reference.span(7, 12) == Span(30, 35)
    assert reference.pieces(0, 12) == [
        Piece(0, Span(15, 21)),
        Piece(6, Span(22, 23)),
        Piece(7, Span(30, 35)),
    ]


def test_appended_characters_have_a_line_but_no_span() -> None:
    reference = at(15, 21).joined(":latest")

    assert reference.text == "ubuntu:latest"
    assert reference.span(7, 13) is None
    assert reference.place(9) == 20
    assert reference.pieces(0, 13) == [Piece(0, Span(15, 21))]


def test_white_space_around_a_text_is_taken_off_with_its_places() -> None:
    assert Spanned("  a \n", range(5, 10)).strip() == Spanned("a", range(7, 8))
    assert Spanned(" \n", range(5, 7)).strip().text == ""


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), max_size=5), st.data())
def test_every_piece_stands_in_the_file_as_it_is_in_the_text(cuts: list[list[int]], data: st.DataObject) -> None:
    file = "".join(chr(ord("a") + at % 26) for at in range(60))
    text = joined([Spanned(file[start:end], range(start, end)) for start, end in cuts] or [Spanned("", ())])
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))

    pieces = text.pieces(start, end) if start < end else []

    assert "".join(piece.span.of(file) for piece in pieces) == text.text[start:end]
