"""YAML texts as nodes with places."""

import pytest
from hypothesis import given

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Scalar, Sequence
from bot.files.formats.source.yaml import DEEPEST_NESTING, LARGEST_TEXT, read
from tests.unit.files.formats.laws import any_text


def mapping(text: str) -> Mapping:
    (node,) = read(text)
    assert isinstance(node, Mapping)
    return node


def scalar(text: str, key: str = "a") -> Scalar:
    node = mapping(text).get(key)
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: ubuntu\n", "ubuntu"),
        ("a: 'ubuntu'\n", "ubuntu"),
        ('a: "ubuntu"\n', "ubuntu"),
        ("a: &x ubuntu\n", "ubuntu"),
        ("a: !!str &x 'ubuntu'\n", "ubuntu"),
        ("a: |\n  ubuntu\n", "ubuntu\n"),
        ("a: >-\n\n  ubuntu\n", "\nubuntu"),
        ("a: |2 # comment\n    ubuntu\n", "  ubuntu\n"),
        ("\ufeffa: ubuntu\n", "ubuntu"),
        ("a: ubuntu # comment\r\n", "ubuntu"),
        ("{'a':\t\"ubuntu\"}", "ubuntu"),
        ("é: 😀\na: ubuntu", "ubuntu"),
    ],
)
def test_a_scalar_knows_where_its_characters_stand(text: str, value: str) -> None:
    spanned = scalar(text).spanned
    assert spanned.text == value

    word = spanned.strip()
    span = word.span(0, len(word))

    assert span is not None
    assert span.of(text) == "ubuntu"


def test_lines_of_a_literal_block_keep_their_places() -> None:
    text = "a: |\n    FROM ubuntu\n      RUN x\n\n    FROM alpine\n"
    spanned = scalar(text).spanned

    for word in ("ubuntu", "RUN x", "alpine"):
        start = spanned.text.index(word)
        span = spanned.span(start, start + len(word))
        assert span is not None
        assert span.start == text.index(word)


def test_a_folded_text_keeps_the_places_of_its_words() -> None:
    text = "a: >\n  one\n  two\n\n  three\n"
    spanned = scalar(text).spanned

    assert spanned.text == "one two\nthree\n"
    span = spanned.span(spanned.text.index("three"), spanned.text.index("three") + 5)
    assert span is not None
    assert span.of(text) == "three"


@pytest.mark.parametrize(
    "text",
    ['a: "\\x75buntu"\n', "a: 'u''buntu'\n", 'a: "\\u0075buntu"\n', 'a: "\\U00000075buntu"\n', 'a: "\\tubuntu"'],
)
def test_an_escape_has_a_place_but_no_span(text: str) -> None:
    spanned = scalar(text).spanned
    end = len(spanned)

    assert spanned.span(0, end) is None
    rest = spanned.span(end - 5, end)
    assert rest is not None
    assert rest.of(text) == "buntu"


def test_a_number_stays_the_text_that_was_written() -> None:
    assert scalar("a: 1.10\n").value == "1.10"
    assert scalar("a: 0x1F\n").value == "0x1F"


@pytest.mark.parametrize("null", ["", "~", "null"])
def test_null_is_no_scalar_to_read(null: str) -> None:
    assert mapping(f"a: {null}\n").scalar("a") is None
    assert mapping("a: 'null'\n").scalar("a") is not None


def test_an_anchor_may_be_defined_again() -> None:
    root = mapping("a: &x 1\nb: *x\nc: &x 2\nd: *x\n")
    values = [node.value for key in "bd" if isinstance(node := root.get(key), Scalar)]
    assert values == ["1", "2"]


def test_an_alias_is_the_node_that_it_names() -> None:
    root = mapping("a: &x {k: v}\nb: *x\n")
    assert root.get("a") is root.get("b")


def test_own_keys_win_over_merged_ones_and_earlier_merges_over_later_ones() -> None:
    root = mapping("x: &x {k: 1, l: 1, m: 1}\ny: &y {k: 2, l: 2}\nz:\n  <<: [*y, *x]\n  k: 3\n")
    merged = root.mapping("z")
    assert {key.value: node.value for key, node in merged.entries() if isinstance(node, Scalar)} == {
        "k": "3",
        "l": "2",
        "m": "1",
    }
    assert [found.value for key in "klm" if (found := merged.scalar(key))] == ["3", "2", "1"]


def test_a_merge_of_itself_ends() -> None:
    root = mapping("a: &a\n  <<: [*a, *a]\n  k: v\n").mapping("a")
    assert [key.value for key, _ in root.entries()] == ["k"]
    assert root.get("other") is None


def test_each_document_has_its_root_and_its_anchors() -> None:
    assert len(read("a: 1\n---\n- b\n---\n# nothing\n...\n---\nc\n")) == 4
    with pytest.raises(Unreadable, match="names no anchor"):
        read("a: &x 1\n---\nb: *x\n")


def test_bytes_that_are_no_utf_8_in_a_comment_cost_nothing() -> None:
    assert scalar("a: ubuntu # \udce4\n").value == "ubuntu"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: b\nc: [\n", 3, "not valid YAML"),
        ("a: b\n c: d\n", 2, "not valid YAML"),
        ("a: \x01", 1, "does not allow"),
        ("a: *b\n", 1, "names no anchor"),
        ("a:\n  b: {{ .Values.c }}\n", 2, "template"),
        ("a: 1\n{{- if .Values.b }}\nb: 2\n{{- end }}\n", 3, "template"),
        ("a: " + "[" * 5000, 1, "nest"),
        ("\n".join(" " * depth + "a:" for depth in range(DEEPEST_NESTING + 2)), DEEPEST_NESTING + 1, "deeper"),
        ("a" * (LARGEST_TEXT + 1), 1, "more than"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, line: int, why: str) -> None:
    with pytest.raises(Unreadable, match=why) as caught:
        read(text)
    assert caught.value.line == line


def test_aliases_of_aliases_cost_no_more_than_they_are_written() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    root = mapping("\n".join(["a0: &a0 lol", *levels]))
    assert isinstance(root.get("a59"), Sequence)


@given(any_text("a: ", "- ", "&x ", "*x", "<<: *x", "? ", "|\n", ">-\n", "!!str ", "---\n"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        roots = read(text)
    except Unreadable:
        return
    waiting = list(roots)
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Scalar():
                spanned = node.spanned
                assert spanned.text == node.value
                assert len(spanned.places) == len(spanned)
                for piece in spanned.pieces(0, len(spanned)) if node.value else []:
                    assert piece.span.of(text) == node.value[piece.at :][: piece.span.end - piece.span.start]
            case Sequence():
                waiting += node.items
            case Mapping():
                waiting += [value for _, value in node.own.values()]
