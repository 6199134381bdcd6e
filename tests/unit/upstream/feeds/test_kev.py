"""CISA's catalogue: what is published is read, and no bad entry stops another."""

import json
from datetime import date
from typing import Any

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.document import FeedKind
from bot.upstream.feeds import kev
from bot.upstream.feeds.contents import newest_in
from tests.unit.upstream.feeds.damage import WRONG, kinds_of_places, shortened, with_value
from tests.unit.upstream.feeds.published import KEV, SEEN, outcome, published

ENTRY = {"cveID": "CVE-2026-1001", "dateAdded": "2026-03-04", "product": "a product"}


def catalogue(*entries: Any, **others: Any) -> bytes:
    return json.dumps({"count": len(entries), "vulnerabilities": entries, **others}).encode()


def test_the_published_catalogue_is_read_whole() -> None:
    exploited, problems = kev.parse(published(KEV), SEEN, "kev.json")
    assert problems == ()
    assert exploited.is_whole
    assert len(exploited.values) == 1404
    assert exploited.values["CVE-2025-48384"] == date(2025, 8, 25)
    newest = newest_in(FeedKind.KEV, published(KEV), SEEN)
    assert newest is not None
    assert newest.date() == date(2025, 8, 25)


@pytest.mark.parametrize("bad", [{"cveID": "GHSA-1"}, {}, 7, None, {"cveID": "CVE-2026-1001\n; DROP"}])
def test_one_bad_entry_stops_no_other_and_makes_the_list_no_whole_one(bad: Any) -> None:
    exploited, problems = kev.parse(catalogue(bad, ENTRY), SEEN, "kev.json")
    assert exploited.values == {"CVE-2026-1001": date(2026, 3, 4)}
    assert not exploited.is_whole
    assert len(problems) == 1


def test_a_day_that_is_none_costs_the_day_alone() -> None:
    exploited, problems = kev.parse(catalogue({**ENTRY, "dateAdded": "soon"}), SEEN, "kev.json")
    assert exploited.values == {"CVE-2026-1001": None}
    assert exploited.is_whole
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (catalogue(), "lists no vulnerability"),
        (catalogue(ENTRY, count=1404), "says that it lists 1404 vulnerabilities, and has 1"),
        (b"{}", "vulnerabilities should be a list"),
        (b"[]", "should be a JSON object"),
        (catalogue({}, {}), "none of its 2 entries can be read"),
    ],
)
def test_what_is_no_catalogue_is_one_failure(data: bytes, told: str) -> None:
    with pytest.raises(Failure, match=told):
        kev.parse(data, SEEN, "kev.json")


def test_a_wrong_value_anywhere_is_survived_or_is_one_failure() -> None:
    document = {**shortened(json.loads(published(KEV))), "count": 2}
    for path in kinds_of_places(document):
        for wrong in WRONG:
            outcome(kev.parse, json.dumps(with_value(document, path, wrong)).encode())
