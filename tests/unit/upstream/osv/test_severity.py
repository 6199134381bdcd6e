"""How severe a record is, by its publisher's word or else by its scores."""

from typing import Any

import pytest

from bot.domain.feeds.advisory import Severity
from bot.upstream.osv.severity import PublishedRating, rating_of

WORST = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
MILD = {"type": "CVSS_V3", "score": "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}
OLD = {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:C/I:C/A:C"}


def word(text: str) -> dict[str, str]:
    return {"type": "Ubuntu", "score": text}


@pytest.mark.parametrize(
    ("severities", "rating"),
    [
        ([MILD, WORST], PublishedRating(Severity.CRITICAL, "CVSS 3.1", 9.8)),
        ([OLD], PublishedRating(Severity.HIGH, "CVSS 2", 10.0)),
        ([OLD, WORST], PublishedRating(Severity.CRITICAL, "CVSS 3.1", 10.0)),
        ([word("low"), WORST], PublishedRating(Severity.LOW, "Ubuntu", 9.8)),
        ([word("low"), word(" High** ")], PublishedRating(Severity.HIGH, "Ubuntu")),
        ([word("who knows"), MILD], PublishedRating(Severity.LOW, "CVSS 3.0", 1.8)),
        ([{"type": "CVSS_V3", "score": "high"}, {"type": "CVSS_V9", "score": "high"}], PublishedRating()),
        ([{"type": "CVSS_V3"}, {"score": "high"}, {"type": 3, "score": "high"}, 7], PublishedRating()),
        ("high", PublishedRating()),
        (None, PublishedRating()),
    ],
)
def test_a_publishers_word_comes_before_its_scores_of_which_the_highest_band_counts(
    severities: Any, rating: PublishedRating
) -> None:
    assert rating_of("USN-1-1", severities, ()) == rating


def test_what_publishers_add_to_a_record_or_its_packages_counts_too() -> None:
    assert rating_of("X-1", [MILD], [{"severity": [WORST]}, 7]) == PublishedRating(
        Severity.CRITICAL, "CVSS 3.1", 9.8
    )
    added = rating_of("X-1", [], [{"severity": [word("medium")]}])
    assert (added.severity, added.by) == (Severity.MODERATE, "its publisher")
    in_words = rating_of("GHSA-1", [MILD], [{"severity": "HIGH"}])
    assert in_words.severity is Severity.HIGH
