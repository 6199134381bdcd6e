"""JSON with comments as nodes with places."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.formats.source import jsonc
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from tests.unit.files.formats.laws import any_text


def plain(node: Node) -> object:
    match node:
        case Mapping():
            return {key.value: plain(value) for key, value in node.entries()}
        case Sequence():
            return [plain(item) for item in node.items]
        case Scalar():
            text = node.source[node.start : node.end]
            return node.value if text.startswith('"') else json.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, // one\n "b": [true, null,], /* two */ }', {"a": 1, "b": [True, None]}),
        ('// first\n{"a": "// no comment", "b": "/* none */"}', {"a": "// no comment", "b": "/* none */"}),
        ('\ufeff{"a":\t"x"}\r\n// end', {"a": "x"}),
        ('{"a": {}, "b": [], "c": "\\"\\u00e4\\n"}', {"a": {}, "b": [], "c": '"ä\n'}),
        ("/**/-1.5e3/* **/", -1500.0),
        ('{"a": "x\ty"}', {"a": "x\ty"}),
    ],
)
def test_comments_and_trailing_commas_are_allowed(text: str, value: object) -> None:
    assert plain(jsonc.read(text)) == value


def test_strings_know_where_they_stand() -> None:
    text = '{ /* "image": "x" */ "image": "ubuntu:22.04" }'
    root = jsonc.read(text)
    assert isinstance(root, Mapping)
    image = root.scalar("image")
    assert image is not None
    span = image.spanned.span(0, 12)
    assert span is not None
    assert span.of(text) == "ubuntu:22.04"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 1, "a value is missing"),
        ('{"a": 1', 1, "a comma or } is missing"),
        ('{"a"\n 1}', 2, "colon"),
        ("{\n\n a: 1}", 3, "double quotes"),
        ('{"a": "x\n"}', 1, "not closed"),
        ("[1 2]", 1, "a comma or"),
        ("[,]", 1, "a value is missing"),
        ("{} {}", 1, "something follows"),
        ("/* {}", 1, "a value is missing"),
        ("[" * 200, 1, "deeper"),
        ("{'a': 1}", 1, "double quotes"),
    ],
)
def test_what_is_no_json_says_where_and_why(text: str, line: int, why: str) -> None:
    with pytest.raises(Unreadable, match=why) as caught:
        jsonc.read(text)
    assert caught.value.line == line


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_plain_json_reads_as_the_standard_library_reads_it(
    value: object, indent: int | str | None, plainly: bool
) -> None:
    assert plain(jsonc.read(json.dumps(value, indent=indent, ensure_ascii=plainly))) == value


@given(any_text('"a"', '"a": ', "// c\n", "/* c */", "true", "null", "-1", "1.5"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Unreadable):
        jsonc.read(text)
