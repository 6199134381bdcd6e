"""What the move of a copy brings."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Severity
from bot.domain.reference import Base
from bot.fleet.assess.assess import assess
from bot.fleet.assess.mirror import MirroredBase, as_upstream
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, base, image, release, seen

HOUR = timedelta(hours=1)
ORIGIN = base("aspnet:8.0")
COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "8.0")
PUBLISHED = [seen("1"), seen("2", at=DAY + HOUR), seen("3", at=DAY + 2 * HOUR)]


def copy_of(published: Observation, hours: float) -> Observation:
    return replace(published, base=COPY, at=DAY + hours * HOUR)


def move(number: int, before: Observation, after: Observation, cause: Cause) -> Move:
    known = Change(
        ORIGIN, after.at, before.digest, after.digest, cause, cause, severity=Severity.HIGH, cves=("CVE-1",)
    )
    return Move(number, known)


UPSTREAM = MirroredBase(
    ORIGIN,
    PUBLISHED,
    [
        move(11, PUBLISHED[0], PUBLISHED[1], Cause.DOTNET_SECURITY),
        move(12, PUBLISHED[1], PUBLISHED[2], Cause.OS_UPDATE),
    ],
)


def brought(before: Observation, after: Observation) -> Change:
    """The change of a copy that showed `before` and shows `after`."""
    named = replace(before, base=ORIGIN), replace(after, base=ORIGIN)
    return as_upstream(assess(*named, ReleaseIndex([]), {}, after.at), before, after, UPSTREAM)


def test_a_copy_that_comes_one_publication_further_takes_cause_and_fixes_of_that() -> None:
    change = brought(copy_of(PUBLISHED[0], 0.5), copy_of(PUBLISHED[1], 1.5))
    assert (change.base, change.cause, change.cves, change.severity) == (
        COPY,
        Cause.DOTNET_SECURITY,
        ("CVE-1",),
        Severity.HIGH,
    )
    assert (change.brings, change.at, change.to_digest) == ((11,), DAY + 1.5 * HOUR, PUBLISHED[1].digest)
    told = "the same digest as mcr.microsoft.com/dotnet/aspnet:8.0, which showed it 30 min earlier"
    assert change.evidence[-1].locator == told


def test_a_copy_that_left_a_publication_out_is_assessed_over_the_whole_way() -> None:
    change = brought(copy_of(PUBLISHED[0], 0.5), copy_of(PUBLISHED[2], 3))
    assert (change.cause, change.brings) == (Cause.LAYERS_ONLY, (11, 12))


def test_what_upstream_was_not_seen_with_is_assessed_by_itself_and_said() -> None:
    change = brought(copy_of(PUBLISHED[0], 0.5), copy_of(seen("9"), 3))
    assert (change.cause, change.brings) == (Cause.LAYERS_ONLY, ())
    assert change.evidence[-1].locator.startswith(
        "mcr.microsoft.com/dotnet/aspnet:8.0 was not seen with sha256:999"
    )


def test_a_copy_pushed_anew_with_what_it_had_is_no_news() -> None:
    anew = replace(copy_of(PUBLISHED[1], 3), digest="sha256:of-another-index")
    change = brought(copy_of(PUBLISHED[1], 2), anew)
    assert (change.cause, change.detail.partition(";")[0]) == (Cause.INDEX_ONLY, "pushed anew")


def test_a_copy_pushed_anew_takes_what_it_is_like_and_says_how_that_is_known() -> None:
    anew = replace(copy_of(PUBLISHED[1], 3), digest="sha256:of-another-index", platforms=(image("2"),))
    change = brought(copy_of(PUBLISHED[0], 2), anew)
    assert (change.cause, change.to_digest) == (Cause.DOTNET_SECURITY, "sha256:of-another-index")
    assert change.evidence[-1].locator.startswith("pushed anew with the same platform manifests as ")


def test_a_copy_that_goes_back_sets_nothing_off() -> None:
    change = brought(copy_of(PUBLISHED[1], 2), copy_of(PUBLISHED[0], 3))
    assert (change.cause, change.brings) == (Cause.INDEX_ONLY, ())


def test_a_copy_that_is_withdrawn_is_compared_with_nothing() -> None:
    gone = replace(seen(None, at=DAY + 3 * HOUR), base=COPY)
    change = brought(copy_of(PUBLISHED[0], 0.5), gone)
    assert (change.base, change.cause, change.brings) == (COPY, Cause.WITHDRAWN, ())
    assert not [each for each in change.evidence if each.source == "mirror"]


def test_a_copy_counts_from_when_upstream_published_it_where_that_was_seen() -> None:
    change = brought(copy_of(PUBLISHED[0], 0.5), copy_of(PUBLISHED[1], 9))
    assert (change.at, change.counts_from) == (DAY + 9 * HOUR, DAY + HOUR)
    unseen = brought(copy_of(PUBLISHED[0], 0.5), copy_of(seen("9"), 3))
    assert unseen.counts_from == unseen.at == DAY + 3 * HOUR


def test_a_copy_that_follows_upstream_back_tells_what_that_opens_again() -> None:
    back = seen("1", at=DAY + 3 * HOUR)
    taken_back = replace(move(13, PUBLISHED[2], back, Cause.ROLLBACK).change, cves=(), reopens=("CVE-1",))
    above = MirroredBase(ORIGIN, [*PUBLISHED, back], [*UPSTREAM.moves, Move(13, taken_back)])
    before, after = copy_of(PUBLISHED[2], 2.5), copy_of(back, 3.5)
    change = as_upstream(assess(PUBLISHED[2], back, ReleaseIndex([]), {}, back.at), before, after, above)
    assert (change.cause, change.reopens, change.cves) == (Cause.ROLLBACK, ("CVE-1",), ())


def test_a_copy_takes_all_that_upstreams_change_says() -> None:
    origin = replace(
        UPSTREAM.moves[0].change,
        cause_at_detection=Cause.DOTNET_UNKNOWN,
        not_relevant=("CVE-2",),
        reopens=("CVE-3",),
        ratings=(("CVE-1", Severity.HIGH),),
        links=(("CVE-1", "https://a.example/1"),),
        detail="upstream's own words",
    )
    before, after = copy_of(PUBLISHED[0], 0.5), copy_of(PUBLISHED[1], 1.5)
    own = assess(PUBLISHED[0], PUBLISHED[1], ReleaseIndex([]), {}, after.at)
    found = as_upstream(own, before, after, replace(UPSTREAM, moves=[Move(11, origin)]))
    taken = replace(origin, base=COPY, at=found.at, from_version="8.0.16", to_version="8.0.16", brings=(11,))
    assert replace(found, evidence=(), platforms=(), published_at=None) == taken
    assert (found.published_at, found.platforms) == (PUBLISHED[1].at, own.platforms)
    wordless = as_upstream(own, before, after, replace(UPSTREAM, moves=[Move(11, replace(origin, detail=""))]))
    assert wordless.detail == own.detail != ""


def test_what_a_copy_lost_or_showed_before_is_told() -> None:
    back = brought(copy_of(PUBLISHED[1], 2), copy_of(PUBLISHED[0], 3))
    assert back.detail == "shows what it had shown before; upstream has published nothing new that it shows"
    assert back.cause_at_detection is Cause.INDEX_ONLY


def test_of_a_copy_whose_first_state_upstream_never_showed_all_since_counts() -> None:
    change = brought(copy_of(seen("9"), 0.5), copy_of(PUBLISHED[2], 3))
    assert change.brings == (11, 12)
    assert brought(copy_of(seen("9"), 1), copy_of(PUBLISHED[2], 3)).brings == (12,)


def test_a_copy_that_is_seen_before_upstream_is_late_by_nothing() -> None:
    change = brought(copy_of(PUBLISHED[0], 0.5), copy_of(PUBLISHED[1], 0.9))
    assert "which showed it 0 " in change.evidence[-1].locator


def test_a_copy_that_shows_what_upstream_has_left_brings_no_fix() -> None:
    """Upstream went back, and the copy comes forward to what is upstream's past."""
    back = seen("3", version="8.0.15", at=DAY + 2 * HOUR)
    above = MirroredBase(ORIGIN, [PUBLISHED[0], back], [])
    feed = ReleaseIndex([release("8.0.16", "CVE-1", at=DAY)])
    known = {"CVE-1": Advisory("CVE-1", severity=Severity.HIGH, links=("https://a.example/1",))}
    assessed = assess(back, replace(PUBLISHED[0], at=DAY + 4 * HOUR), feed, known, DAY + 4 * HOUR)
    assert (assessed.cause, assessed.cves) == (Cause.DOTNET_SECURITY, ("CVE-1",))
    found = as_upstream(assessed, copy_of(back, 3), copy_of(PUBLISHED[0], 4), above)
    assert (found.cause, found.cves, found.reopens, found.severity) == (Cause.INDEX_ONLY, (), (), None)
    assert (found.ratings, found.links, found.not_relevant) == ((), (), ())


def test_a_copy_that_goes_back_opens_nothing_again() -> None:
    older = seen("1", version="8.0.15")
    newer = seen("2", version="8.0.16", at=DAY + HOUR)
    feed = ReleaseIndex([release("8.0.16", "CVE-1", at=DAY)])
    assessed = assess(newer, replace(older, at=DAY + 3 * HOUR), feed, {}, DAY + 3 * HOUR)
    assert (assessed.cause, assessed.reopens) == (Cause.ROLLBACK, ("CVE-1",))
    found = as_upstream(assessed, copy_of(newer, 2), copy_of(older, 3), MirroredBase(ORIGIN, [older, newer], []))
    assert (found.cause, found.reopens) == (Cause.INDEX_ONLY, ())
