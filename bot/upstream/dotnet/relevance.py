"""Whether an advisory matters to the images of a base, with the reasons in words.

What Microsoft's own families contain is known by their names. Every other image contains .NET until shown
otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.bases.dotnet import is_microsofts
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Base
from bot.upstream.dotnet.releases import family_name

_CONTAINS = {
    "runtime-deps": frozenset({"runtime-deps"}),
    "runtime": frozenset({"runtime-deps", "runtime"}),
    "aspnet": frozenset({"runtime-deps", "runtime", "aspnet"}),
    "sdk": frozenset({"runtime-deps", "runtime", "aspnet", "sdk"}),
}
"""Each image is built on the one before it, so a fix for the runtime is one for the SDK image too."""
_BESIDE = frozenset({"dotnet", "dotnet/nightly", "dotnet/core", "dotnet/core-nightly"})
"""Where Microsoft keeps these families. An image of that name elsewhere may be anybody's, with anything in it."""

_NAMES = {"linux": "Linux", "musl": "musl-based Linux", "windows": "Windows", "macos": "macOS"}


@dataclass(frozen=True, slots=True)
class Relevance:
    """Whether an advisory concerns a base, and why; the reason that decides comes first."""

    relevant: bool
    reasons: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.relevant

    @property
    def text(self) -> str:
        return "; ".join(self.reasons)


def relevance(
    advisory: Advisory,
    base: Base,
    *,
    platforms: Iterable[str] = (),
    distributions: Iterable[str] = (),
) -> Relevance:
    """Judges family first, then operating system; what the document leaves out counts as touched.

    `platforms` are those that matter to the asker (`linux/amd64`), `distributions` what stands below
    (`alpine3.22`); without them, the tag is asked. The reason that decides comes first.
    """
    family = _family(advisory, base)
    if not family.relevant:
        return family
    system = _system(advisory, _systems(base, tuple(platforms), tuple(distributions)))
    if not system.relevant:
        return system
    return Relevance(True, family.reasons + system.reasons)


def relevance_to(advisory: Advisory, observation: Observation) -> Relevance:
    """Says whether an advisory concerns an image, as it was observed, and why."""
    return relevance(
        advisory,
        observation.base,
        platforms=(image.platform for image in observation.platforms),
        distributions=(image.os for image in observation.platforms if image.os is not None),
    )


def _family(advisory: Advisory, base: Base) -> Relevance:
    family = family_name(base)
    contents = _contents(base)
    if contents is None:
        return Relevance(True, (f"what {base.repository} images contain is not known, so every fix counts",))
    if not advisory.families:
        if family == "runtime-deps":
            return Relevance(False, ("runtime-deps images contain no .NET code",))
        return Relevance(True, ("the document names no product, so every image counts",))
    touched = sorted(advisory.families & contents)
    if not touched:
        family_list = _listing(sorted(advisory.families))
        return Relevance(False, (f"it touches {family_list}, which {family} images do not contain",))
    return Relevance(True, (f"{family} images contain {_listing(touched)}",))


def _contents(base: Base) -> frozenset[str] | None:
    """The parts of .NET that the images of a base contain; None where that is not known."""
    folder, _, family = base.repository.rpartition("/")
    return _CONTAINS.get(family) if is_microsofts(base.registry) and folder in _BESIDE else None


def _system(advisory: Advisory, ours: frozenset[str]) -> Relevance:
    if not advisory.systems:
        return Relevance(True, ("the document names no operating system, so every platform counts",))
    touched = sorted(advisory.systems & ours)
    system_list = _listing([_NAMES.get(system, system) for system in sorted(advisory.systems)])
    if touched:
        return Relevance(True, (f"it affects {system_list}",))
    if advisory.systems == {"musl"}:
        return Relevance(False, ("it affects musl-based Linux only, and the image is not Alpine",))
    return Relevance(False, (f"it affects {system_list} only",))


def _systems(base: Base, platforms: tuple[str, ...], distributions: tuple[str, ...]) -> frozenset[str]:
    systems = {"windows" if platform.startswith("windows/") else "linux" for platform in platforms}
    systems = systems or {"linux"}
    musl = any(name.startswith("alpine") for name in distributions) if distributions else "alpine" in base.tag
    return frozenset(systems | {"musl"} if musl and "linux" in systems else systems)


def _listing(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
