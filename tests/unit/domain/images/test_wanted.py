from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.images.wanted import is_unchanged, shown_by, wanted
from bot.domain.reference import Base

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def own(number: int) -> Base:
    return Base("ghcr.io", f"contoso/image-{number}", "latest")


AMD = PlatformImage("linux/amd64", "sha256:a", layers=("sha256:l",), diff_ids=("sha256:1", "sha256:2"))
ARM = PlatformImage("linux/arm64", "sha256:b", layers=("sha256:m",), diff_ids=("sha256:3",))
SEEN = Observation(NOON, own(1), "sha256:index", platforms=(AMD, ARM))


def test_what_is_wanted_hangs_on_each_parent_and_each_platform() -> None:
    before = wanted({own(1): shown_by(SEEN)})
    moved = replace(SEEN, platforms=(AMD, replace(ARM, diff_ids=("sha256:4",))))
    assert wanted({own(1): shown_by(moved)}) != before
    assert wanted({own(2): shown_by(SEEN)}) != before


def test_a_rebuild_with_the_same_layers_is_no_news() -> None:
    again = replace(SEEN, digest="sha256:other", platforms=(replace(AMD, digest="sha256:c"), ARM))
    assert is_unchanged(SEEN, again)
    assert wanted({own(1): shown_by(again)}) == wanted({own(1): shown_by(SEEN)})


def test_where_layers_are_not_known_in_full_the_digest_decides() -> None:
    bare = replace(SEEN, platforms=(replace(AMD, diff_ids=()),))
    again = replace(bare, platforms=(replace(AMD, digest="sha256:c", diff_ids=()),))
    assert not is_unchanged(bare, again)


def test_a_platform_that_was_stored_under_another_of_its_names_is_not_new() -> None:
    before = replace(SEEN, platforms=(replace(ARM, platform="linux/arm"),))
    assert is_unchanged(before, replace(SEEN, platforms=(replace(ARM, platform="linux/arm/v7"),)))


def test_a_platform_that_is_new_is_news() -> None:
    assert not is_unchanged(replace(SEEN, platforms=(AMD,)), SEEN)
