from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.backtest.replay import Offer, Replay
from bot.domain.bases.change import Cause
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Severity
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, release, seen

HOUR = timedelta(hours=1)
BEFORE, AFTER = seen("1", at=DAY), seen("2", version="8.0.17", at=DAY + HOUR)


def offers(
    feed: ReleaseIndex, *observations: Observation, advisories: dict[str, Advisory] | None = None
) -> list[Offer]:
    return list(Replay(feed, advisories or {}).offers(observations))


def causes(found: list[Offer]) -> list[tuple[timedelta, Cause]]:
    return [(offer.now - DAY, offer.change.cause) for offer in found]


def test_a_change_is_offered_again_when_the_feed_lists_it() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY + 2 * HOUR, listed=DAY + 3 * HOUR)])
    assert causes(offers(feed, BEFORE, AFTER)) == [
        (HOUR, Cause.DOTNET_UNKNOWN),
        (2 * HOUR, Cause.DOTNET_RELEASE),
        (3 * HOUR, Cause.DOTNET_SECURITY),
    ]


def test_what_the_feed_shows_at_the_same_moment_is_known() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY + HOUR)])
    assert causes(offers(feed, BEFORE, AFTER)) == [(HOUR, Cause.DOTNET_SECURITY)]


def test_a_rating_that_is_published_later_is_learnt_then() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY)])
    rating = Advisory("CVE-2025-0001", severity=Severity.HIGH, published_at=DAY + 5 * HOUR)
    found = offers(feed, BEFORE, AFTER, advisories={rating.cve: rating})
    assert [(offer.now - DAY, offer.change.severity) for offer in found] == [
        (HOUR, None),
        (5 * HOUR, Severity.HIGH),
    ]


def test_the_first_sight_of_a_base_is_not_offered() -> None:
    assert offers(ReleaseIndex([]), BEFORE) == []


def test_an_empty_log_offers_nothing() -> None:
    assert offers(ReleaseIndex([release("8.0.17")])) == []


@given(st.randoms(use_true_random=False))
def test_the_order_within_one_moment_does_not_matter(random: Random) -> None:
    tags = ("aspnet:8.0", "runtime:8.0", "sdk:8.0", "aspnet:9.0")
    first = [seen("1", of=tag, at=DAY) for tag in tags]
    second = [seen("2" if tag[-3] == "8" else None, of=tag, at=DAY + HOUR) for tag in tags]
    shuffled = [random.sample(first, len(first)), random.sample(second, len(second))]
    feed = ReleaseIndex([])
    assert offers(feed, *shuffled[0], *shuffled[1]) == offers(feed, *first, *second)
