"""How long it takes to tell what a fleet's images stand on, against every layer that Microsoft has published."""

import random
import time

from bot.domain.bases.observation import PlatformImage, first_digits
from bot.images.standing.observed_layers import ObservedLayers
from bot.upstream.history.log import read_observations
from tests.bench.measured import Measured
from tests.conftest import SHARED
from tests.unit.images.standing.world import stands

IMAGES = 10_000
OWN_LAYERS = 6


def run() -> list[Measured]:
    path = SHARED / "observations-2023-2025.jsonl.xz"
    what, aim = f"telling what {IMAGES:,} images stand on", "under 1 s"
    if not path.exists():
        return [Measured(what, "not measured: the shared history is not here")]
    history = [each for each in read_observations(path) if each.platforms]
    observed = ObservedLayers(history)
    chosen = random.Random(1)
    pairs = [(seen.base, chosen.choice(seen.platforms)) for seen in chosen.choices(history, k=IMAGES)]
    images = [(base, _built(below, number)) for number, (base, below) in enumerate(pairs)]
    start = time.process_time()
    known = sum(bool(stands(image, observed, expected=[base]).publications) for base, image in images)
    seconds = time.process_time() - start
    figure = f"{seconds:.2f} s of processor time, {known:,} told, {len(history):,} observations"
    return [Measured(what, figure, aim, seconds < 1)]


def _built(below: PlatformImage, number: int) -> PlatformImage:
    layers = [f"sha256:{first_digits(layer)}{'0' * 52}" for layer in below.layers]
    own = [f"sha256:{number:012x}{layer:052x}" for layer in range(OWN_LAYERS)]
    return PlatformImage(below.platform, f"sha256:{number:064x}", layers=(*layers, *own))
