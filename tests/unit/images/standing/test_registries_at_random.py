"""Law 1 over registries made at random, against an oracle that knows how each image was built."""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.observation import DeclaredVersion, Observation, PlatformImage
from bot.domain.images.standing import ImageState
from bot.domain.reference import Base
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import NOON
from tests.unit.images.standing.world import AMD64, stands

DEPS, ASPNET, GOLDEN = (
    Base("mcr.microsoft.com", "dotnet/runtime-deps", "10.0"),
    Base("mcr.microsoft.com", "dotnet/aspnet", "10.0"),
    Base("ghcr.io", "contoso/golden", "latest"),
)
CHAIN = (DEPS, ASPNET, GOLDEN)
"""Each is built on what the one before showed at that time."""


def named(*words: object) -> str:
    return "sha256:" + sha256(" ".join(map(str, words)).encode()).hexdigest()


@dataclass(frozen=True)
class Build:
    """A build of one base, on a build of the one below it."""

    base: Base
    number: int
    content: tuple[str, ...]
    history: tuple[str, ...]
    versions: tuple[DeclaredVersion, ...]

    @property
    def image(self) -> PlatformImage:
        return PlatformImage(
            AMD64,
            named("manifest", self.base, self.number),
            layers=tuple(named("packed", each) for each in self.content),
            diff_ids=tuple(named("content", each) for each in self.content),
            versions=self.versions,
            history=self.history,
        )

    def shown(self, tag: str, at: int) -> Observation:
        base = replace(self.base, tag=tag)
        index = named("index", self.base, self.number)
        return Observation(NOON + timedelta(hours=at), base, index, platforms=(self.image,))


class Packing(StrEnum):
    """What the builder of an image does with what it has from its base."""

    PLAIN = "plain"
    WITHOUT_HISTORY = "without history"
    WITHOUT_VARIABLES = "without variables"
    PACKED_ANEW = "packed anew"
    LYING = "packed anew, with a configuration that names layers which it has not"
    SQUASHED = "squashed"


@dataclass(frozen=True)
class World:
    """What bases have shown, as far as somebody looked, and one image with the build that it was built on."""

    observed: ObservedLayers
    shows: dict[Base, Build]
    on: Build
    packing: Packing
    platform: PlatformImage


@st.composite
def worlds(draw: st.DrawFn) -> World:
    builds: dict[Base, list[Build]] = {base: [] for base in CHAIN}
    observed, shows = ObservedLayers(), dict[Base, Build]()
    for at in range(draw(st.integers(1, 9))):
        below: Build | None = None
        place = draw(st.integers(0, len(CHAIN) - 1))
        base = CHAIN[place]
        if place:
            if not builds[CHAIN[place - 1]]:
                continue
            below = builds[CHAIN[place - 1]][-1]
        build = _built(base, len(builds[base]), below, draw(st.integers(0, 2)))
        builds[base].append(build)
        if draw(st.booleans()):
            observed.add(build.shown(base.tag, at))
            shows[base] = build
        if draw(st.booleans()):
            observed.add(build.shown(f"10.0.{build.number}", at))
    every = [build for mine in builds.values() for build in mine]
    if not every:
        every = [_built(DEPS, 0, None, 0)]
    on, packing = draw(st.sampled_from(every)), draw(st.sampled_from(Packing))
    other = draw(st.sampled_from(every))
    return World(observed, shows, on, packing, _packed(on, packing, other))


def _built(base: Base, number: int, below: Build | None, content: int) -> Build:
    """A build whose own layer has one of three contents, so that rebuilds with the same layers occur."""
    own = f"{base.short} {content}"
    step = named("step", base, number)[7:19]
    versions = below.versions if below is not None else ()
    if base == ASPNET:
        versions = (DeclaredVersion("ASPNET_VERSION", f"10.0.{content}"),)
    return Build(
        base,
        number,
        (*(below.content if below else ()), own),
        (*(below.history if below else ()), step),
        versions,
    )


def _packed(on: Build, packing: Packing, other: Build) -> PlatformImage:
    plain = replace(
        on.image,
        digest=named("image"),
        layers=(*on.image.layers, named("packed", "app")),
        diff_ids=(*on.image.diff_ids, named("content", "app")),
        history=(*on.history, "app"),
    )
    anew = tuple(named("packed anew", each) for each in plain.diff_ids)
    match packing:
        case Packing.WITHOUT_HISTORY:
            return replace(plain, history=())
        case Packing.WITHOUT_VARIABLES:
            return replace(plain, versions=())
        case Packing.PACKED_ANEW:
            return replace(plain, layers=anew)
        case Packing.LYING:
            said = (*other.image.diff_ids, named("content", "app"))
            return replace(plain, layers=tuple(named("lie", each) for each in said), diff_ids=said)
        case Packing.SQUASHED:
            return replace(plain, layers=(named("all"),), diff_ids=(named("all in"),), history=("all",))
        case _:
            return plain


@given(worlds(), st.sets(st.sampled_from(CHAIN)))
def test_nothing_is_current_that_was_built_on_other_bytes_than_its_base_shows(
    world: World, others: set[Base]
) -> None:
    for files_name in ({world.on.base}, {world.on.base, *others}, set[Base]()):
        standing = stands(world.platform, world.observed, expected=sorted(files_name), runtimes=["10.0.0"])
        if standing.is_current:
            shows = world.shows.get(world.on.base)
            assert shows is not None
            assert shows.content == world.on.content
            assert files_name
            assert world.packing not in (Packing.PACKED_ANEW, Packing.LYING, Packing.SQUASHED)


@given(worlds())
def test_a_plain_image_on_what_its_base_shows_is_current(world: World) -> None:
    """Whose runtime is its base's: what an application on `runtime-deps` brings is judged apart."""
    if world.packing not in (Packing.PLAIN, Packing.WITHOUT_HISTORY, Packing.WITHOUT_VARIABLES):
        return
    if world.on.base == DEPS or world.shows.get(world.on.base) != world.on:
        return
    assert stands(world.platform, world.observed, expected=[world.on.base]).state is ImageState.CURRENT


@given(worlds())
def test_of_rebuilds_with_the_same_layers_a_plain_image_on_the_older_is_not_current(world: World) -> None:
    shows = world.shows.get(world.on.base)
    if world.packing is Packing.PLAIN and shows is not None and shows != world.on:
        was_seen = world.observed.first_shown(world.on.base, named("index", world.on.base, world.on.number))
        if was_seen is not None:
            assert not stands(world.platform, world.observed, expected=[world.on.base]).is_current


@given(worlds())
def test_layers_that_were_read_prove_what_was_packed_anew(world: World) -> None:
    if world.packing is not Packing.PACKED_ANEW or world.on.base == DEPS:
        return
    held = zip(world.platform.layers, world.platform.diff_ids, strict=True)
    world.observed.unpacked.update(held)
    is_on_what_is_shown = world.shows.get(world.on.base) == world.on
    if is_on_what_is_shown:
        assert stands(world.platform, world.observed, expected=[world.on.base]).is_current
