"""Each source is as old as the newest time in it, by a limit of its own."""

from datetime import timedelta

import pytest

from bot.domain.feeds.document import CADENCES, FeedKind, silence
from bot.domain.packages.cves.publication import CvePublication
from tests.builders import NOON

LEADS_ON = {FeedKind.DOTNET_RELEASES, FeedKind.DOTNET_TIMELINE, FeedKind.MSRC_BULLETIN}
"""What is judged by the documents that lead to it, or that it leads to."""


def test_every_source_has_a_limit_and_says_what_it_follows_from() -> None:
    assert set(CADENCES) == {*CvePublication, *FeedKind} - LEADS_ON
    assert all(each.limit >= timedelta(days=7) and each.grounds for each in CADENCES.values())
    assert len({each.name for each in CADENCES.values()}) == len(CADENCES)


@pytest.mark.parametrize("source", list(CADENCES))
def test_a_source_is_silent_once_its_newest_time_is_older_than_its_limit(source: str) -> None:
    newest_at = NOON - CADENCES[source].limit
    assert silence(source, newest_at, NOON) is None
    assert silence(source, newest_at, NOON + timedelta(seconds=1)) == (
        f"{CADENCES[source].name} has told nothing new since {newest_at:%Y-%m-%d}"
    )


def test_of_a_source_without_a_time_or_a_limit_nothing_is_said() -> None:
    assert silence(CvePublication.UBUNTU, None, NOON) is None
    assert silence(FeedKind.MSRC_BULLETIN, NOON - timedelta(days=999), NOON) is None
