"""What was observed, and what is said of it where little was."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.bases.notice import Notice, Topic
from bot.domain.bases.observation import DeclaredVersion, NotJudged, Observation, PlatformImage, first_digits
from tests.builders import ASPNET, NOON


def test_notices_are_about_what_no_rebuild_can_mend() -> None:
    assert [topic.value for topic in Topic] == [
        "release-lag",
        "sibling-lag",
        "waiting-for-base",
        "withdrawn",
        "end-of-life",
        "moved-underneath",
        "rollback",
        "mirror-behind",
    ]
    assert Notice(Topic.ROLLBACK, ASPNET, NOON, None, timedelta(), "went back").toward == ()


def test_what_was_not_observed_is_not_known() -> None:
    image = PlatformImage("linux/amd64", "sha256:a")
    assert (image.created, image.os, image.config, image.versions) == (None, None, None, None)
    assert (image.layers, image.diff_ids, image.history) == ((), (), ())
    seen = Observation(NOON, ASPNET, "sha256:a")
    assert (seen.version, seen.created, seen.platforms, seen.not_judged) == (None, None, (), ())
    assert DeclaredVersion("DOTNET_VERSION", "10.0.4").step is None


@pytest.mark.parametrize(
    "learned",
    [
        {"config": "sha256:c"},
        {"versions": (DeclaredVersion("DOTNET_VERSION", "10.0.4"),)},
        {"history": ("0123456789ab",)},
    ],
)
def test_an_image_of_which_more_was_read_is_the_same_image(learned: dict[str, Any]) -> None:
    assert PlatformImage("linux/amd64", "sha256:a", **learned) == PlatformImage("linux/amd64", "sha256:a")


def test_images_stand_in_the_order_of_their_platforms_and_digests() -> None:
    images = [
        PlatformImage("linux/arm64", "a"),
        PlatformImage("linux/amd64", "b"),
        PlatformImage("linux/amd64", "a"),
    ]
    assert sorted(images) == images[::-1]
    assert sorted([DeclaredVersion("B", "1"), DeclaredVersion("A", "2")])[0].name == "A"
    assert sorted([NotJudged("b", "why"), NotJudged("a", "why")])[0].name == "a"


def test_layers_are_compared_by_the_digits_that_every_observation_has() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    assert first_digits(digest) == first_digits("0123456789ab") == "0123456789ab"
    assert PlatformImage("linux/amd64", "a", layers=(digest,)).short_layers == ("0123456789ab",)


def test_an_entry_that_is_not_judged_is_told_with_the_reason() -> None:
    assert str(NotJudged("linux/amd64", "names a platform that is none")) == (
        "linux/amd64: names a platform that is none"
    )


def test_images_of_one_platform_stand_together_under_its_usual_name() -> None:
    early, late = PlatformImage("linux/arm", "1"), PlatformImage("linux/arm/v7", "2")
    other = PlatformImage("linux/amd64", "3")
    seen = Observation(NOON, ASPNET, "x", platforms=(early, other, late))
    assert seen.by_platform() == {"linux/arm/v7": (early, late), "linux/amd64": (other,)}
