from dataclasses import replace

import pytest

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Severity
from bot.fleet.assess.assess import assess
from bot.fleet.assess.wording import describe, versions
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import AMD64, ARM64, DAY, image, release, seen

FEED = ReleaseIndex([release("8.0.17", "CVE-2025-0001"), release("8.0.18")])


def said(before: Observation, after: Observation) -> str:
    return describe(assess(before, after, FEED, {}, DAY))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            seen("1", version="8.0.16"),
            seen("2", version="8.0.17"),
            "aspnet:8.0: .NET 8.0.16 → 8.0.17 fixes 1 CVE",
        ),
        (
            seen("1", version="8.0.17"),
            seen("2", version="8.0.18"),
            "aspnet:8.0: .NET 8.0.17 → 8.0.18, a release without CVEs",
        ),
        (
            seen("1", version="8.0.18"),
            seen("2", version="8.0.19"),
            "aspnet:8.0: .NET 8.0.18 → 8.0.19, which no feed lists yet",
        ),
        (
            seen("1", version="9.0.306", of="sdk:latest"),
            seen("2", version="10.0.100", of="sdk:latest"),
            "sdk:latest: moved to another channel: .NET SDK 9.0.306 → 10.0.100",
        ),
        (
            seen("1", image("1", layers="ab"), image("2", platform=ARM64, layers="ab")),
            seen("2", image("3", layers="cb"), image("4", platform=ARM64, layers="cb")),
            "aspnet:8.0: the OS layer changed (2 platforms)",
        ),
        (
            seen("1", image("1", os="bookworm-slim")),
            seen("2", image("2", os="noble")),
            "aspnet:8.0: the distribution changed: bookworm-slim → noble (linux/amd64)",
        ),
        (
            seen("1", image("1", layers="ab")),
            seen("2", image("2", layers="ac")),
            "aspnet:8.0: only layers above the OS changed (linux/amd64)",
        ),
        (
            seen("1", image("1", layers="")),
            seen("2", image("2", layers="")),
            "aspnet:8.0: the image was rebuilt (linux/amd64); which layers changed is not recorded",
        ),
        (
            seen("1", image("1", layers="")),
            seen("2", image("2", layers="ab")),
            "aspnet:8.0: the image was rebuilt, perhaps with its OS layer (linux/amd64)",
        ),
        (
            seen("1", image("1", platform=AMD64), image("2", platform=ARM64)),
            seen("3", image("1", platform=AMD64)),
            "aspnet:8.0: the index dropped linux/arm64; nothing else changed",
        ),
        (
            seen("1", image("1", platform=AMD64)),
            seen("3", image("1", platform=AMD64), image("2", platform=ARM64)),
            "aspnet:8.0: the index added linux/arm64; nothing else changed",
        ),
        (
            seen("1", image("1")),
            seen("3", image("1")),
            "aspnet:8.0: only the index changed, no platform observed here",
        ),
        (
            seen("1"),
            seen(None),
            "aspnet:8.0: withdrawn from the published inventory; the tag still resolves but moves no more",
        ),
        (
            seen("1"),
            seen("1"),
            "aspnet:8.0: back in the published inventory, with the digest that it had before",
        ),
    ],
)
def test_a_change_is_told_in_one_sentence(before: Observation, after: Observation, sentence: str) -> None:
    assert said(before, after) == sentence


def test_a_version_that_nobody_knows_is_called_unknown() -> None:
    assert versions("aspnet", None, "8.0.17") == ".NET unknown → 8.0.17"
    assert versions("sdk", "8.0.100", None) == ".NET SDK 8.0.100 → unknown"


def test_a_move_of_the_distribution_without_a_sentence_names_how_many_platforms_moved() -> None:
    base = seen("1").base
    moved = Change(base, DAY, "sha256:1", "sha256:2", Cause.OS_MOVE, Cause.OS_MOVE, platforms=(AMD64, ARM64))
    assert describe(moved) == "aspnet:8.0: the distribution changed (2 platforms)"


@pytest.mark.parametrize("cause", list(Cause))
def test_a_change_without_a_sentence_gets_one_from_its_figures(cause: Cause) -> None:
    bare = Change(
        base=seen("1").base,
        at=DAY,
        from_digest="sha256:1",
        to_digest="sha256:2",
        cause=cause,
        cause_at_detection=cause,
        from_version="8.0.16",
        to_version="8.0.17",
        cves=("CVE-2025-0001",) if cause is Cause.DOTNET_SECURITY else (),
        platforms=(AMD64,),
    )
    told = describe(bare)
    assert told.startswith("aspnet:8.0: ")
    assert "None" not in told


def test_a_change_of_layers_without_a_sentence_names_its_platform() -> None:
    told = Change(seen("1").base, DAY, "a", "b", Cause.LAYERS_ONLY, Cause.LAYERS_ONLY, platforms=(AMD64,))
    assert describe(told) == "aspnet:8.0: only layers above the OS changed (linux/amd64)"


def test_a_security_release_without_cves_says_that_they_are_to_come() -> None:
    feed = ReleaseIndex([release("8.0.17", security=True)])
    told = assess(seen("1", version="8.0.16"), seen("2", version="8.0.17"), feed, {}, DAY).detail
    assert told == ".NET 8.0.16 → 8.0.17, a security release whose CVEs are not listed yet"


def test_an_index_that_gained_and_lost_platforms_tells_both() -> None:
    amd64 = image("1", platform=AMD64)
    before = seen("1", amd64, image("2", platform=ARM64))
    after = seen("3", amd64, *(image("2", platform=f"linux/{name}") for name in ("s390x", "ppc64le")))
    assert said(before, after) == (
        "aspnet:8.0: the index added 2 platforms and dropped linux/arm64; nothing else changed"
    )


def test_platforms_that_were_dropped_are_named_behind_what_else_changed() -> None:
    before = seen("1", image("1", layers="ab"), *(image("2", platform=f"linux/{name}") for name in ("x", "y")))
    assert said(before, seen("3", image("3", layers="ac"))) == (
        "aspnet:8.0: only layers above the OS changed (linux/amd64); dropped linux/x, linux/y"
    )


def test_an_image_of_which_no_platform_is_recorded_says_so() -> None:
    after = seen("2")
    bare = Observation(after.at, after.base, after.digest, after.version)
    assert said(seen("1"), bare) == (
        "aspnet:8.0: the digest changed; which platforms it holds is not recorded; dropped linux/amd64"
    )


def test_distributions_of_several_platforms_are_told_one_by_one() -> None:
    before = seen(
        "1", *(image(digit, os=os, platform=name) for digit, os, name in (("1", "a", AMD64), ("2", "b", ARM64)))
    )
    after = seen("2", *(image(digit, os="c", platform=name) for digit, name in (("3", AMD64), ("4", ARM64))))
    assert said(before, after) == "aspnet:8.0: the distribution changed: a → c, b → c (2 platforms)"
    newer = seen("2", *after.platforms, version="8.0.17")
    assert said(before, newer).endswith("fixes 1 CVE; now on c instead of a, c instead of b")


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (Cause.DOTNET_SECURITY, ".NET 8.0.16 → 8.0.17 fixes 2 CVEs (worst: HIGH)"),
        (Cause.DOTNET_RELEASE, ".NET 8.0.16 → 8.0.17, a release without CVEs"),
        (Cause.DOTNET_UNKNOWN, ".NET 8.0.16 → 8.0.17, which no feed lists yet"),
        (Cause.ROLLBACK, ".NET 8.0.16 → 8.0.17 goes back to an older version and opens 2 CVEs again (worst: HIGH)"),
        (Cause.CHANNEL_MOVE, "moved to another channel: .NET 8.0.16 → 8.0.17"),
        (Cause.OS_UPDATE, "the OS layer changed (linux/amd64)"),
        (Cause.LAYERS_ONLY, "only layers above the OS changed (linux/amd64)"),
        (Cause.INDEX_ONLY, "only the index changed, no platform observed here"),
    ],
)
def test_what_was_stored_without_a_sentence_is_told_by_its_figures(cause: Cause, told: str) -> None:
    cves = ("CVE-1", "CVE-2")
    bare = Change(
        *(seen("1").base, DAY, "a", "b", cause, cause, "8.0.16", "8.0.17"),
        cves=() if cause is Cause.ROLLBACK else cves,
        reopens=cves if cause is Cause.ROLLBACK else (),
        severity=Severity.HIGH,
        platforms=(AMD64,),
    )
    assert describe(bare) == f"aspnet:8.0: {told}"


def test_a_version_that_is_not_listed_is_told_as_such_whatever_one_between_leaves_unsaid() -> None:
    silent = ReleaseIndex([replace(release("8.0.17"), unread=("security",)), release("8.0.16")])
    told = [
        assess(seen("1", version="8.0.16"), seen("2", version=to), silent, {}, DAY).detail
        for to in ("8.0.17", "8.0.18")
    ]
    assert told == [
        ".NET 8.0.16 → 8.0.17, of which releases.json does not say what it fixes",
        ".NET 8.0.16 → 8.0.18, which no feed lists yet",
    ]
