"""What lies between a version that somebody pins and what its base shows."""

import pytest

from bot.domain.bases.change import Cause, Change, SecurityRelease
from bot.domain.bases.observation import Observation
from bot.upstream.dotnet.fixing import way_from
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, image, release, seen

RELEASES = ReleaseIndex(
    [
        release("8.0.16", security=False),
        release("8.0.17", "CVE-2025-30399"),
        release("8.0.18", security=False),
        release("8.0.19", "CVE-2025-49001", "CVE-2025-49002"),
    ]
)


def way(version: str, shown: str, releases: ReleaseIndex = RELEASES) -> Change | None:
    told = way_from(version, observation(shown), releases, {}, DAY)
    return None if told is None else told.change


def observation(version: str) -> Observation:
    return seen("1", version=version)


@pytest.mark.parametrize(
    ("version", "shown", "cause", "cves"),
    [
        ("8.0.16", "8.0.19", Cause.DOTNET_SECURITY, ("CVE-2025-30399", "CVE-2025-49001", "CVE-2025-49002")),
        ("8.0.17", "8.0.19", Cause.DOTNET_SECURITY, ("CVE-2025-49001", "CVE-2025-49002")),
        ("8.0.17", "8.0.18", Cause.DOTNET_RELEASE, ()),
    ],
)
def test_it_is_what_all_releases_between_the_two_say(
    version: str, shown: str, cause: Cause, cves: tuple[str, ...]
) -> None:
    told = way(version, shown)
    assert told is not None
    assert (told.cause, told.cves) == (cause, cves)
    assert (told.from_version, told.to_version) == (version, shown)
    assert told.to_digest == observation(shown).digest


def test_where_no_feed_was_read_nothing_is_told() -> None:
    assert way("8.0.16", "8.0.19", ReleaseIndex(())) is None


def test_the_security_releases_on_the_way_are_told_with_since_when_each_is_out() -> None:
    told = way_from("8.0.16", observation("8.0.19"), RELEASES, {}, DAY)
    assert told is not None
    assert told.security_releases == (SecurityRelease(DAY, "8.0.17"), SecurityRelease(DAY, "8.0.19"))


def pinned(version: str | None, *, layers: str = "ab", os: str = "noble") -> Observation:
    return seen("0", image("0", layers=layers, os=os), version=version)


@pytest.mark.parametrize(
    ("stood_on", "shown", "cause"),
    [
        (pinned("8.0.17"), "8.0.18", Cause.DOTNET_RELEASE),
        (pinned("8.0.19", layers="xb"), "8.0.19", Cause.OS_UPDATE),
        (pinned("8.0.19", os="bookworm"), "8.0.19", Cause.OS_MOVE),
        (pinned("8.0.19", layers="ax"), "8.0.19", Cause.LAYERS_ONLY),
        (pinned("7.0.20"), "8.0.19", Cause.CHANNEL_MOVE),
    ],
)
def test_an_image_that_was_read_tells_what_moved_where_its_version_did_not(
    stood_on: Observation, shown: str, cause: Cause
) -> None:
    told = way_from(stood_on, observation(shown), RELEASES, {}, DAY)
    assert told is not None
    assert (told.change.cause, told.change.from_digest) == (cause, stood_on.digest)


@pytest.mark.parametrize("newer", ["8.0.20", pinned("8.0.20")])
def test_no_way_leads_back_to_an_older_version(newer: str | Observation) -> None:
    assert way_from(newer, observation("8.0.19"), RELEASES, {}, DAY) is None


def test_an_image_that_declares_no_version_is_never_taken_for_one_before_a_release() -> None:
    told = way_from(pinned(None), observation("8.0.19"), RELEASES, {}, DAY)
    assert told is not None
    assert (told.change.cause, told.change.cves) == (Cause.LAYERS_ONLY, ())
