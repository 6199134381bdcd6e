"""Documents that are garbage as a whole: one clear failure from every parser, within bounds."""

import json
import tracemalloc
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure, Trouble
from bot.upstream.feeds import announcements, github_advisories, msrc, reading
from bot.upstream.feeds.dotnet import cve as dotnet_cve
from bot.upstream.feeds.dotnet import releases as dotnet_releases
from bot.upstream.feeds.dotnet import timeline as dotnet_timeline
from bot.upstream.feeds.reading import FeedShape, Notes
from tests.unit.upstream.feeds.published import (
    SEEN,
    XML_DOCUMENTS,
    Parser,
    outcome,
    published,
    read_inventory,
    shortened_bulletin,
)

JSON_PARSERS: list[Parser] = [
    dotnet_releases.parse_index,
    dotnet_releases.parse,
    dotnet_timeline.parse,
    dotnet_cve.parse,
    msrc.parse_updates,
    github_advisories.parse,
    announcements.parse,
    read_inventory,
]
MEBIBYTE = 1024 * 1024


def names(parser: Any) -> str:
    return f"{parser.__module__.rpartition('.')[2]}.{parser.__name__}" if callable(parser) else ""


def failure_of(parser: Parser, data: bytes) -> str:
    """The one line that the parser ends in."""
    with pytest.raises(Failure) as caught:
        parser(data, SEEN, "feed.doc")
    assert caught.value.trouble is Trouble.MALFORMED
    line = str(caught.value)
    assert line.startswith("feed.doc: ")
    assert line.endswith("; the last good copy stays in use")
    assert "\n" not in line
    assert len(line) < 700
    return line


@pytest.mark.parametrize("parser", JSON_PARSERS, ids=names)
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no JSON: EOF while parsing a value at line 1 column 0"),
        (b'{"a": 1,\n  "b": ', "is no JSON: EOF while parsing a value at line 2 column 7"),
        (b'{"a": NaN}', "is no JSON: expected value at line 1 column 7"),
        (b"[-Infinity]", "is no JSON"),
        (b'{"a": "\xff"}', "is no JSON: invalid unicode code point at line 1 column"),
        (b'"\\ud800"', "is no JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "is no JSON: recursion limit exceeded at line 1 column"),
        (b"1" * 5000, "is no JSON: number out of range"),
        (b"<html><body>Please log in</body></html>", "is no JSON: expected value at line 1 column 1"),
        (b"null", "should be a"),
        (b"{}", ": "),
        (b'"text"', "should be a"),
        (b"1e999", "should be a"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_json_that_is_garbage_is_one_failure(parser: Parser, data: bytes, said: str) -> None:
    assert said in failure_of(parser, data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no well-formed XML: no element found: line 1, column 0"),
        (b"<a>\n<b></a>", "is no well-formed XML: mismatched tag: line 2"),
        (b"<a>\xff</a>", "is no well-formed XML: not well-formed"),
        (b"\x00", "is no well-formed XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "cannot be decoded: unknown encoding"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "cannot be decoded"),
        (b'{"value": []}', "is no well-formed XML"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "is no CVRF"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares a DTD"),
        (b'<!DOCTYPE a SYSTEM "http://localhost:1/a.dtd"><a/>', "declares a DTD"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares a DTD"),
        (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost:1/p"> %p;]><a/>', "declares a DTD"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_xml_that_is_garbage_is_one_failure(data: bytes, said: str) -> None:
    assert said in failure_of(msrc.parse, data)


def test_a_billion_laughs_are_not_heard() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE l [<!ENTITY l0 "lol">{entities}]><l>&l9;</l>'.encode()
    assert "declares a DTD" in failure_of(msrc.parse, bomb)


@pytest.mark.parametrize("parser", [*JSON_PARSERS, msrc.parse], ids=names)
@pytest.mark.parametrize(
    "data",
    [
        b" " * (50 * MEBIBYTE),
        b"[" + b"[]," * (6 * MEBIBYTE) + b"[]]",
        b"<a>" + b"<b/>" * (4 * MEBIBYTE) + b"</a>",
        b"<a " + b"b='' " * (3 * MEBIBYTE) + b"/>",
    ],
    ids=["50 MiB", "six million lists", "four million elements", "three million attributes"],
)
def test_a_document_out_of_bounds_is_refused_before_it_takes_memory(parser: Parser, data: bytes) -> None:
    tracemalloc.start()
    try:
        failure_of(parser, data)
        assert tracemalloc.get_traced_memory()[1] < 4 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_the_worst_document_within_bounds_takes_a_bounded_amount_of_memory() -> None:
    nodes = reading.MAX_NODES - 1
    text = b"[" + b"{}," * (nodes - 1) + b'"' + b"x" * (18 * MEBIBYTE) + b'"]'
    tracemalloc.start()
    try:
        failure_of(announcements.parse, text)
        assert tracemalloc.get_traced_memory()[1] < 200 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_a_byte_order_mark_is_no_garbage() -> None:
    assert reading.json_document(b"\xef\xbb\xbf[1]", "feed.doc") == [1]


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_failure_or_a_result(data: bytes) -> None:
    for parser in (*JSON_PARSERS, msrc.parse):
        result = outcome(parser, data)
        assert not isinstance(result, Failure) or result.trouble is Trouble.MALFORMED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["releases", "channel-version", "repos", "repo", "images", "value", "id", "disclosures"]
            ),
            values,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_value_ends_in_a_failure_or_a_result(value: object) -> None:
    data = json.dumps(value).encode()
    for parser in JSON_PARSERS:
        result = outcome(parser, data)
        assert not isinstance(result, Failure) or result.trouble is Trouble.MALFORMED


@pytest.mark.parametrize("name", XML_DOCUMENTS)
def test_a_truncated_xml_document_is_one_failure(name: str) -> None:
    data = published(name)
    assert "is no well-formed XML" in failure_of(msrc.parse, data[: len(data) // 2])
    short = shortened_bulletin(name)
    for share in range(0, 100, 5):
        assert "is no well-formed XML" in failure_of(msrc.parse, short[: len(short) * share // 100])


class _Number(FeedShape):
    n: int


def test_more_problems_than_a_person_reads_are_counted() -> None:
    notes = Notes("feed.doc")
    assert list(notes.each(_Number, [{"n": "?"}] * 50 + [{"n": 1}], "rows")) == [("rows[50]", _Number(n=1))]
    assert len(notes.problems) == reading.MAX_PROBLEMS + 1
    assert str(notes.problems[-1]) == "feed.doc: 30 more entries could not be read"


def test_entries_beyond_the_bound_are_skipped_and_named() -> None:
    notes = Notes("feed.doc")
    assert len(list(notes.each(_Number, [{"n": 1}] * (reading.MAX_ENTRIES + 5), "rows"))) == reading.MAX_ENTRIES
    assert "rows: has 10005 entries" in str(notes.problems[0])


class _At(FeedShape):
    at: reading.UtcMoment


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2025-02-30T00:00:00Z", "1e300", "soon", ""]
)
def test_a_moment_outside_of_the_calendar_is_named(text: str) -> None:
    notes = Notes("feed.doc")
    assert notes.shaped(_At, {"at": text}, "row") is None
    assert str(notes.problems[0]).startswith("feed.doc: row: at: ")


@given(st.text(max_size=40) | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()))
def test_any_moment_is_in_utc_or_named(text: str) -> None:
    read = Notes("feed.doc").shaped(_At, {"at": text}, "row")
    assert read is None or read.at.tzinfo is UTC


@given(st.text(max_size=2000))
def test_untrusted_text_is_one_bounded_line(text: str) -> None:
    line = reading.one_line(text)
    assert len(line) <= reading.MAX_LINE
    assert len(line.splitlines()) <= 1
    assert not any(ord(character) < 32 or character == "\u202e" for character in line)


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org",
        "javascript:alert(1)",
        "https://a b",
        'https://a"',
        "https://a/<b>",
        "https://a/[b](c)",
        "https://github.com@evil.example/",
        "https://a/\u202egpj.exe",
        "https://" + "x" * 600,
        "https://a\n",
        "",
        7,
    ],
)
def test_what_is_no_plain_https_address_is_no_link(text: object) -> None:
    good = "https://example.org:8443/a?b=c#d"
    assert reading.links(text, good) == (good,)
