"""Images by their layers, and the bases that showed them."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import Declaration, ImageStanding
from bot.domain.reference import Base
from bot.images.standing.deciding import Witnesses, standing_of
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET, NOON

AMD64 = "linux/amd64"


def digest(name: str) -> str:
    return "sha256:" + f"{sum(map(ord, name)) * 7919:x}".rjust(12, "0") + name.encode().hex().ljust(52, "0")[:52]


def image(*layers: str, platform: str = AMD64, short: bool = False, unpacked: bool = False) -> PlatformImage:
    whole = tuple(digest(layer) for layer in layers)
    shown = tuple(layer.removeprefix("sha256:")[:12] for layer in whole) if short else whole
    diff_ids = tuple(digest(f"{layer}-unpacked") for layer in layers) if unpacked else ()
    return PlatformImage(platform, digest("/".join(layers)), layers=shown, diff_ids=diff_ids)


def shown(*images: PlatformImage, base: Base = ASPNET, hours: int = 0) -> Observation:
    index = digest("index of " + " ".join(each.digest for each in images))
    return Observation(NOON + timedelta(hours=hours), base, index, platforms=images)


def stands(
    built: PlatformImage,
    observed: ObservedLayers,
    declared: Sequence[Declaration | None] = (),
    *,
    expected: Collection[Base] = (),
    stages: Collection[Base] = (),
    runtimes: Collection[str] = (),
    apart_from: str | None = None,
    confirmed: Collection[str] = (),
    is_open: bool = False,
) -> ImageStanding:
    """What an image stands on whose files name the bases `expected` for its last stage, `stages` beside; with
    `is_open` one more, which nobody watches."""
    named = NamedBases(tuple(expected), (*expected, *stages), is_open)
    return standing_of(built, observed, Witnesses(named, declared, runtimes, confirmed, apart_from))
