"""What lies between a version that somebody pins and what its base shows."""

import pytest

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from bot.upstream.dotnet.fixing import way_from
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, release, seen

RELEASES = ReleaseIndex(
    [
        release("8.0.16", security=False),
        release("8.0.17", "CVE-2025-30399"),
        release("8.0.18", security=False),
        release("8.0.19", "CVE-2025-49001", "CVE-2025-49002"),
    ]
)


def way(version: str, shown: str, releases: ReleaseIndex = RELEASES) -> Change | None:
    return way_from(version, observation(shown), releases, {}, DAY)


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
