"""Images made at random past publications of three years of Microsoft's history."""

import random
from pathlib import Path

import pytest

from bot.domain.bases.observation import Observation, PlatformImage, short_digest
from bot.domain.evidence import Strength
from bot.verify.standing.deciding import standing_of
from bot.verify.standing.observed_layers import ObservedLayers
from bot.watch.history.log import read_observations

pytestmark = pytest.mark.long

IMAGES = 10_000


@pytest.fixture(scope="module")
def history(shared: Path) -> list[Observation]:
    return list(read_observations(shared / "observations-2023-2025.jsonl.xz"))


def built(base: PlatformImage, number: int) -> PlatformImage:
    """What a build on `base` pushes: its layers, whole as registries name them, and some of its own."""
    own = tuple(f"sha256:{number:012x}{layer:052x}" for layer in range(1 + number % 5))
    below = tuple(f"sha256:{short_digest(layer)}{'0' * 52}" for layer in base.layers)
    return PlatformImage(base.platform, f"sha256:{number:064x}", layers=below + own)


def test_images_made_at_random_past_publications_are_told_right(history: list[Observation]) -> None:
    observed = ObservedLayers(history)
    chosen = random.Random(20231114)
    published = [each for each in history if each.digest is not None]
    ambiguous = 0
    for number in range(IMAGES):
        seen = chosen.choice(published)
        base = chosen.choice(seen.platforms)
        standing = standing_of(built(base, number), observed, expected=[seen.base])
        if not base.layers:
            assert standing.strength is Strength.UNKNOWN
            continue
        assert standing.strength is Strength.CLAIMED
        assert (seen.base, base.digest) in {(each.base, each.platform_digest) for each in standing.publications}
        ambiguous += standing.is_ambiguous
    assert ambiguous < IMAGES / 20
