"""What one platform of an image stands on, how that is known, and for how long it has been behind."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.evidence import Strength
from bot.domain.reference import Base
from bot.domain.wording.words import counted, duration


class Basis(StrEnum):
    """What tells what an image stands on, the most telling first."""

    LAYERS = "layers"
    VERIFIED_PROVENANCE = "verified provenance"
    ANNOTATION = "annotation"
    LABEL = "label"
    UNSIGNED_PROVENANCE = "unsigned provenance"
    DOCKERFILE = "Dockerfile"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A base as somebody names it; `digests` are of the index or of a platform's manifest, and may be missing."""

    basis: Basis
    named: str
    digests: frozenset[str] = frozenset()

    @property
    def unsigned(self) -> "Declaration":
        """The same where no signature around it counts any more."""
        is_verified = self.basis is Basis.VERIFIED_PROVENANCE
        return replace(self, basis=Basis.UNSIGNED_PROVENANCE) if is_verified else self


@dataclass(frozen=True, slots=True, order=True)
class Publication:
    """One digest that a base showed, from `at` until it showed another; `until` is None while it does.

    `digest` is the index's (or the single manifest's), `platform_digest` that of `platform` in it.
    """

    base: Base
    at: datetime
    digest: str
    platform: str
    platform_digest: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageStanding:
    """What one platform of an image stands on.

    `publications` are all that the evidence allows: tags that show the same image, and publications that cannot be
    told apart. `layers` counts those that were compared, where layers told it. `named` is the base in the words of
    whoever said so, where nobody has observed it. `disagreement` is what other evidence says against it.
    """

    platform: str
    strength: Strength = Strength.UNKNOWN
    basis: Basis = Basis.NOTHING
    publications: tuple[Publication, ...] = ()
    layers: int = 0
    named: str = ""
    disagreement: str = ""

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may be one of several images that differ."""
        return len({each.platform_digest for each in self.publications}) > 1

    def of(self, expected: Collection[Base]) -> "ImageStanding":
        """The same, seen as standing on one base: one of `expected` where it may, else the one with the shortest
        tag."""
        bases = {each.base for each in self.publications}
        if not bases:
            return self
        chosen = min(bases & set(expected) or bases, key=lambda each: (len(str(each)), each))
        return replace(self, publications=tuple(each for each in self.publications if each.base == chosen))

    @property
    def base(self) -> Base | None:
        """The base that it is seen to stand on; None where nobody has observed it."""
        return self.publications[0].base if self.publications else None

    @property
    def unsigned(self) -> "ImageStanding":
        """The same where no signature around provenance counts any more: what only that has proved is claimed."""
        if self.basis is not Basis.VERIFIED_PROVENANCE:
            return self
        return replace(self, strength=Strength.CLAIMED, basis=Basis.UNSIGNED_PROVENANCE)

    @property
    def is_current(self) -> bool:
        """Whether it stands on what a base shows now: bytes that may be the newest lack nothing of it."""
        return any(each.until is None for each in self.publications)

    @property
    def behind_since(self) -> datetime | None:
        """Since when it is surely behind; None where it is current or where that cannot be told."""
        if self.is_current:
            return None
        return max((each.until for each in self.publications if each.until), default=None)

    def told(self, now: datetime) -> str:
        """Words the standing: `aspnet:10.0-noble of 2026-10-14, 41 days behind, proved by 5 layers`."""
        if not self.publications:
            return f"{self.named}, {self.strength} by its {self.basis}" if self.named else "unknown"
        told = [f"{self.publications[0].base.short} of {_dates(self.publications)}"]
        if self.is_ambiguous:
            told.append("one of several that look alike")
        if since := self.behind_since:
            told.append(f"{duration(now - since)} behind")
        elif self.is_current:
            told.append("current")
        basis = counted(self.layers, "layer") if self.basis is Basis.LAYERS else f"its {self.basis}"
        told.append(f"{self.strength} by {basis}")
        return ", ".join(told)


def _dates(publications: Iterable[Publication]) -> str:
    dates = sorted({each.at.date() for each in publications})
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
