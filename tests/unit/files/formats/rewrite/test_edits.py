from typing import Any

import pytest

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Edit, Kind, Role, Span, Usage
from bot.files.formats.rewrite.edits import CannotEdit, applied, edits_for


def usage(reference: str, span: Span | None, **spans: Any) -> Usage:
    return Usage("f", Kind("compose"), 1, Reference.parse(reference), Role.IMAGE, span, assembled=True, **spans)


def test_equal_edits_are_made_once() -> None:
    edit = Edit("f", Span(1, 2), "x")
    assert applied([edit, edit], {"f": "abc"}) == {"f": "axc"}


def test_edits_of_one_place_exclude_each_other() -> None:
    assert applied([Edit("f", Span(0, 2), "x"), Edit("f", Span(1, 3), "y")], {"f": "abc"}) is None
    assert applied([Edit("f", Span(1, 1), "x"), Edit("f", Span(1, 1), "y")], {"f": "abc"}) is None


def test_edits_that_only_touch_each_other_are_all_made() -> None:
    assert applied(
        [Edit("f", Span(1, 2), "y"), Edit("f", Span(0, 1), "x"), Edit("f", Span(2, 2), "z")], {"f": "abc"}
    ) == {"f": "xyzc"}


def test_a_span_within_the_tag_tells_where_that_part_stands() -> None:
    text = "image: app:${V:-10.0}-alpine"
    edits = edits_for(usage("app:10.0-alpine", Span(16, 20)), Reference.parse("app:10.1-alpine"), {"f": text})
    assert applied(edits, {"f": text}) == {"f": "image: app:${V:-10.1}-alpine"}


def test_what_no_span_holds_cannot_be_edited() -> None:
    text = "image: app:${V:-10.0}-alpine"
    with pytest.raises(CannotEdit, match=r"alpine in 10\.0-alpine does not stand in one piece"):
        edits_for(usage("app:10.0-alpine", Span(16, 20)), Reference.parse("app:10.0-noble"), {"f": text})


def test_parts_under_keys_of_their_own_change_there() -> None:
    text = "a 1"
    whole = usage("a:1", Span(2, 3), name_span=Span(0, 1), tag_span=Span(2, 3))
    assert applied(edits_for(whole, Reference.parse("b:2"), {"f": text}), {"f": text}) == {"f": "b 2"}
