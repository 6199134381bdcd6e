import pytest

from bot.assess.assess import assess
from bot.assess.dotnet.releases import ReleaseIndex
from bot.assess.wording import describe, versions
from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from tests.unit.assess.world import AMD64, ARM64, DAY, image, release, seen

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
