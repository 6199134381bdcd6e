from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.images.named_bases import hash_of_parents, is_unchanged, shown_by
from bot.domain.reference import Base

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def own(number: int) -> Base:
    return Base("ghcr.io", f"contoso/image-{number}", "latest")


AMD = PlatformImage("linux/amd64", "sha256:a", layers=("sha256:l",), diff_ids=("sha256:1", "sha256:2"))
ARM = PlatformImage("linux/arm64", "sha256:b", layers=("sha256:m",), diff_ids=("sha256:3",))
SEEN = Observation(NOON, own(1), "sha256:index", platforms=(AMD, ARM))


def test_what_is_wanted_hangs_on_each_parent_and_each_platform() -> None:
    before = hash_of_parents({own(1): shown_by(SEEN)})
    moved = replace(SEEN, platforms=(AMD, replace(ARM, diff_ids=("sha256:4",))))
    assert hash_of_parents({own(1): shown_by(moved)}) != before
    assert hash_of_parents({own(2): shown_by(SEEN)}) != before


def test_a_rebuild_with_the_same_layers_is_no_news() -> None:
    again = replace(SEEN, digest="sha256:other", platforms=(replace(AMD, digest="sha256:c"), ARM))
    assert is_unchanged(SEEN, again)
    assert hash_of_parents({own(1): shown_by(again)}) == hash_of_parents({own(1): shown_by(SEEN)})


def test_where_layers_are_not_known_in_full_the_digest_decides() -> None:
    bare = replace(SEEN, platforms=(replace(AMD, diff_ids=()),))
    again = replace(bare, platforms=(replace(AMD, digest="sha256:c", diff_ids=()),))
    assert not is_unchanged(bare, again)


def test_a_platform_that_was_stored_under_another_of_its_names_is_not_new() -> None:
    before = replace(SEEN, platforms=(replace(ARM, platform="linux/arm"),))
    assert is_unchanged(before, replace(SEEN, platforms=(replace(ARM, platform="linux/arm/v7"),)))


def test_a_platform_that_is_new_is_news() -> None:
    assert not is_unchanged(replace(SEEN, platforms=(AMD,)), SEEN)


def test_what_is_wanted_stays_the_same_in_another_release_and_in_any_order() -> None:
    """It is kept: another hash would have every image built anew."""
    shown = {"linux/arm64": "sha256:3", "linux/amd64": "sha256:1 sha256:2"}
    told = "\n".join(
        f"ghcr.io/contoso/image-{number}:latest {platform} {shown[platform]}"
        for number in (1, 2)
        for platform in ("linux/amd64", "linux/arm64")
    )
    assert hash_of_parents({own(2): shown, own(1): shown_by(SEEN)}) == sha256(told.encode()).hexdigest()


def test_of_several_images_of_a_platform_each_is_shown() -> None:
    windows = [PlatformImage("windows/amd64", f"sha256:{name}") for name in "cd"]
    seen = replace(SEEN, platforms=(AMD, *windows))
    assert shown_by(seen) == {"linux/amd64": "sha256:1 sha256:2", "windows/amd64": "sha256:c sha256:d"}


def test_what_shows_no_platform_leaves_nothing_unchanged() -> None:
    assert not is_unchanged(SEEN, replace(SEEN, platforms=()))
