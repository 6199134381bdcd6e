from hypothesis import given
from hypothesis import strategies as st

from bot.files.formats.source.text import BOM, Lines, decode, encode


@given(st.binary())
def test_every_byte_survives(data: bytes) -> None:
    assert encode(decode(data)) == data


def test_a_byte_order_mark_is_a_character_before_the_first_line() -> None:
    text = decode(b"\xef\xbb\xbfFROM a\r\n")
    assert text.startswith(BOM)
    assert Lines(text).start(1) == 1
    assert Lines(text).of(1) == "FROM a\r\n"


@given(st.text(alphabet="ab\r\n"), st.data())
def test_lines_end_with_line_feeds_only(text: str, data: st.DataObject) -> None:
    lines = Lines(text)
    assert "".join(lines.of(number) for number in range(1, len(lines) + 1)) == text
    offset = data.draw(st.integers(0, len(text)))
    assert lines.at(offset) == text.count("\n", 0, offset) + 1
