"""The inventory question: which images hold a package, where they run, and which base brings another version."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.packages.package import Package
from bot.domain.wording.words import counted
from bot.views.images.images import Deployment, place_as_json


class FixSource(StrEnum):
    """Where another version of a package comes from."""

    BASE = "in the base"
    """The image's base has it already: a rebuild brings it."""
    AWAITED = "not in the base yet"
    OWN = "not from the base"
    """The base has no such package: what the image's own build installs has to change."""
    UNKNOWN = "unknown"
    """Which base it is, or what that holds, is not known."""


@dataclass(frozen=True, slots=True)
class NextVersion:
    """What is known of a package's next version; `digest` is the one that `base` shows now."""

    state: FixSource
    base: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.base}@{self.digest}" if self.state is FixSource.BASE else self.state.value


class ShownBy(StrEnum):
    """What tells that a package is in an image, the best first."""

    LAYERS = "layers"
    PROVED_SBOM = "SBOM, proved"
    """The layers do not show it; an SBOM lists it that somebody trusted has signed."""
    CLAIMED_SBOM = "SBOM, claimed"


@dataclass(frozen=True, slots=True)
class FoundPackage:
    """A package in an image, on `platforms`; `since` is when it was first seen there in this version.

    `is_certain` is False where no rule tells whether its version is one of those that were asked for.
    """

    image: str
    digest: str | None
    repository: str
    platforms: tuple[str, ...]
    package: Package
    since: datetime
    deployed: tuple[Deployment, ...]
    fix: NextVersion
    is_certain: bool = True
    shown_by: ShownBy = ShownBy.LAYERS


@dataclass(frozen=True, slots=True)
class FoundPackages:
    """The answer, in the order of images; `not_known` counts images of which not all could be read. `gaps` say why
    images may hold more, or a CVE affect more, than is told of."""

    found: tuple[FoundPackage, ...]
    not_known: int = 0
    gaps: tuple[str, ...] = ()


def in_short(answer: FoundPackages) -> str:
    """Words how many images hold it, and for how many of them the base has another version by now."""
    images = {each.image for each in answer.found}
    repositories = {each.repository for each in answer.found}
    by_state = {state: {each.image for each in answer.found if each.fix.state is state} for state in FixSource}
    states_in_words = ", ".join(
        f"{len(state_images):,} {state}" for state, state_images in by_state.items() if state_images
    )
    return (
        f"{counted(len(images), 'image')} with such a package, of {counted(len(repositories), 'repository')}; "
        f"another version: {states_in_words}"
    )


def as_json(answer: FoundPackages) -> dict[str, Any]:
    """Gives the answer as plain JSON values."""
    package_rows = [_package_as_json(each) for each in answer.found]
    return {"found": package_rows, "not_known": answer.not_known, "gaps": list(answer.gaps)}


def _package_as_json(package: FoundPackage) -> dict[str, Any]:
    return {
        "image": package.image,
        "digest": package.digest,
        "produced_by": package.repository,
        "platforms": list(package.platforms),
        "package": asdict(package.package),
        "is_certain": package.is_certain,
        "shown_by": package.shown_by.value,
        "since": package.since,
        "deployed": [place_as_json(place) for place in package.deployed],
        "fix": {"state": package.fix.state.value, "base": package.fix.base, "digest": package.fix.digest},
    }
