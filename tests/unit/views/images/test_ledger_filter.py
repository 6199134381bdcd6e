"""What the list of CVEs takes of what it is asked for."""

from dataclasses import replace

import pytest

from bot.domain.feeds.advisory import Severity
from bot.domain.packages.ledger.clocks import Station
from bot.domain.packages.ledger.entries import Places
from bot.views.images.ledger import UNRATED, CveFilter, CveRow, count_severities

ROW = CveRow("CVE-2026-1", "Heap overflow", "high", "Ubuntu", None, ("Ubuntu",), Places({Station.BASE: 2}))


@pytest.mark.parametrize(
    ("wanted", "is_taken"),
    [
        (CveFilter(), True),
        (CveFilter("cve-2026"), True),
        (CveFilter("OVERFLOW"), True),
        (CveFilter("leak"), False),
        (CveFilter(severity=Severity.HIGH), True),
        (CveFilter(severity=Severity.LOW), False),
        (CveFilter(station=Station.BASE), True),
        (CveFilter(station=Station.IMAGE), False),
        (CveFilter("heap", Severity.HIGH, Station.IMAGE), False),
    ],
)
def test_a_cve_is_taken_that_is_all_that_is_asked_for(wanted: CveFilter, is_taken: bool) -> None:
    assert wanted.takes(ROW) is is_taken


def test_a_station_at_which_no_image_waits_any_more_does_not_count() -> None:
    assert not CveFilter(station=Station.BASE).takes(replace(ROW, places=Places({Station.BASE: 0}, over=2)))


def test_cves_are_counted_by_severity_the_worst_first() -> None:
    counts = count_severities([None, "low", "critical", "low"])
    assert list(counts.items()) == [("critical", 1), ("low", 2), (UNRATED, 1)]
