"""Images made at random past publications of three years of Microsoft's history."""

import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.bases.observation import Observation, PlatformImage, first_digits
from bot.domain.evidence import Strength
from bot.domain.reference import Base
from bot.images.standing.observed_layers import ObservedLayers
from bot.upstream.history.log import read_observations
from tests.builders import NOON
from tests.unit.images.standing.world import stands

pytestmark = pytest.mark.long

IMAGES = 10_000


@pytest.fixture(scope="module")
def history(shared: Path) -> list[Observation]:
    return list(read_observations(shared / "observations-2023-2025.jsonl.xz"))


def built(base: PlatformImage, number: int) -> PlatformImage:
    """What a build on `base` pushes: its layers, whole as registries name them, and some of its own."""
    own = tuple(f"sha256:{number:012x}{layer:052x}" for layer in range(1 + number % 5))
    below = tuple(f"sha256:{first_digits(layer)}{'0' * 52}" for layer in base.layers)
    return PlatformImage(base.platform, f"sha256:{number:064x}", layers=below + own)


Shown = dict[tuple[str, tuple[str, ...]], set[str]]


def shown_by_layers(history: list[Observation]) -> Shown:
    """The platform digests of everything that was published, by platform and layers."""
    found: Shown = defaultdict(set)
    for seen in history:
        for image in seen.platforms:
            found[image.platform, image.short_layers].add(image.digest)
    return found


def longest(image: PlatformImage, shown: Shown) -> set[str]:
    """Every publication whose layers are the longest run at the bottom of an image, looked for one by one."""
    for count in range(len(image.layers), 0, -1):
        if found := shown.get((image.platform, image.short_layers[:count])):
            return found
    return set()


def test_images_made_at_random_past_publications_are_told_right(history: list[Observation]) -> None:
    observed, shown = ObservedLayers(history), shown_by_layers(history)
    chosen = random.Random(20231114)
    published = [each for each in history if each.digest is not None]
    ambiguous = 0
    for number in range(IMAGES):
        seen = chosen.choice(published)
        base = chosen.choice(seen.platforms)
        image = built(base, number)
        standing = stands(image, observed, expected=[seen.base])
        if not base.layers:
            assert standing.strength is Strength.UNKNOWN
            continue
        assert standing.strength is Strength.CLAIMED
        assert (seen.base, base.digest) in {(each.base, each.platform_digest) for each in standing.publications}
        match = observed.match(image)
        assert match is not None
        possible = {each.platform_digest for each in match.publications}
        assert possible == longest(image, shown)
        assert standing.is_ambiguous <= (len(possible) > 1)
        assert ("one of several that look alike" in standing.told(NOON)) is standing.is_ambiguous
        ambiguous += standing.is_ambiguous
    assert ambiguous < IMAGES / 20


def test_whole_layers_prove_what_twelve_digits_claim(history: list[Observation]) -> None:
    """As a registry shows bases today: what layers decide is proved, and nothing else is said of it."""
    chosen = random.Random(8)
    whole = [
        replace(seen, platforms=tuple(built(image, 0) for image in seen.platforms if image.layers))
        for seen in history
        if seen.digest is not None
    ]
    whole = [each for each in whole if each.platforms]
    observed = ObservedLayers(whole)
    for number in range(IMAGES // 10):
        seen = chosen.choice(whole)
        base = chosen.choice(seen.platforms)
        standing = stands(built(base, number + 1), observed, expected=[seen.base])
        assert standing.strength is Strength.PROVED
        assert standing.layers == len(base.layers)
        assert seen.digest in {each.digest for each in standing.publications}


FAMILIES = ("runtime-deps", "runtime", "aspnet", "sdk")


def test_no_image_of_the_recorded_history_is_called_current_that_is_not(history: list[Observation]) -> None:
    """An image on what each base showed before a move and one on what it shows after, with the base observed and
    with those alone that it stands on itself."""
    everything = ObservedLayers()
    below = {family: ObservedLayers() for family in FAMILIES}
    shown: dict[Base, Observation] = {}
    moves = 0
    for number, seen in enumerate(whole(each) for each in history):
        family = seen.base.repository.rpartition("/")[2]
        everything.add(seen)
        for above in FAMILIES[FAMILIES.index(family) + 1 :] if family in FAMILIES else ():
            below[above].add(seen)
        before = shown.get(seen.base)
        if seen.digest is None:
            continue
        shown[seen.base] = seen
        if before is None or before.digest == seen.digest:
            continue
        moves += 1
        old_images = before.by_platform()
        for platform, (now, *_) in seen.by_platform().items():
            if not now.layers:
                continue
            on_new, (old, *_) = built(now, number), old_images.get(platform, (None,))
            stood = stands(on_new, everything, expected=[seen.base])
            assert stood.is_on_what_is_shown
            assert stood.is_current == (family != "runtime-deps")
            if old is not None and old.layers and old.layers != now.layers:
                assert not stands(built(old, number), everything, expected=[seen.base]).is_current
            if family in FAMILIES:
                assert not stands(on_new, below[family], expected=[seen.base]).is_current
    assert moves > 13_000


def whole(seen: Observation) -> Observation:
    """As a registry shows it, whose layers are whole digests."""
    return replace(seen, platforms=tuple(_whole(image) for image in seen.platforms))


def _whole(image: PlatformImage) -> PlatformImage:
    return replace(image, layers=built(image, 0).layers[: len(image.layers)])
