"""What one platform of an image stands on, how that is known, and for how long it has been behind.

Law 1 is decided here: `ImageStanding.state` of one platform, `state_of` of an image. Whatever asks whether an image
is current asks these.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.evidence import Strength
from bot.domain.reference import Base, Reference
from bot.domain.tags.choice import PinStrength, pins
from bot.domain.wording.words import counted, duration, in_words


@dataclass(frozen=True, slots=True)
class RuntimeInside:
    """What shows of the runtime inside. `version` is empty where nothing tells it, `by` is what tells it, and
    `is_signed` whether that rests on a signature; `is_current` is False both where it is behind and where nothing
    proves it."""

    version: str = ""
    by: str = ""
    is_current: bool = False
    behind_since: datetime | None = None
    is_signed: bool = False

    def told(self, now: datetime) -> str:
        """Words it: `.NET 10.0.2 inside, current by its packages`."""
        inside = f".NET {self.version} inside" if self.version else "the .NET inside"
        if self.behind_since is not None:
            return f"{inside}, {duration(now - self.behind_since)} behind by {self.by}"
        if self.is_current:
            return f"{inside}, current by {self.by}"
        return f"{inside} is not proved: {self.by or UNPROVED}"


UNPROVED = "its .deps.json or signed provenance that names the SDK would tell"


LAW = 1
"""Which edition of law 1 a stored standing was judged by; what an earlier one proved is a claim until it is judged
again."""


class ImageState(StrEnum):
    """How an image or one platform of it stands, the one to look at first at the top."""

    BEHIND = "behind"
    CONTRADICTED = "contradicted"
    UNSEEN_BUILD = "unseen-build"
    UNKNOWN = "unknown"
    NOT_SEEN = "not-seen"
    CLAIMED = "claimed"
    CURRENT = "current"

    @property
    def in_words(self) -> str:
        """The state as people read it, without a hyphen."""
        return in_words(self.value)


class Basis(StrEnum):
    """What tells what an image stands on, the most telling first."""

    LAYERS = "layers"
    VERIFIED_PROVENANCE = "verified provenance"
    ANNOTATION = "annotation"
    LABEL = "label"
    UNSIGNED_PROVENANCE = "unsigned provenance"
    DOCKERFILE = "Dockerfile"
    NOTHING = "nothing"


class Doubt(StrEnum):
    """Why layers claim a base and do not prove it."""

    NO_BASE_NAMED = "no-base-named"
    SEVERAL_NAMED = "several-named"
    FEW_DIGITS = "few-digits"
    PACKED_ANEW = "packed-anew"
    EARLIER_LAW = "earlier-law"


_DOUBTS = {
    Doubt.NO_BASE_NAMED: "at least: no file, setting or signed provenance names what it is built from",
    Doubt.SEVERAL_NAMED: "at least: its repository builds on several bases, and nothing tells which this image has",
    Doubt.FEW_DIGITS: "since the base was recorded with the first digits of its layers alone",
    Doubt.PACKED_ANEW: "since its layers were packed anew and not read: only its configuration says what they hold",
    Doubt.EARLIER_LAW: "since it was judged by an earlier release, until it is looked at again",
}
_OF_LAYERS = (Doubt.FEW_DIGITS, Doubt.PACKED_ANEW, Doubt.EARLIER_LAW)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A base as somebody names it; `digests` are of the index or of a platform's manifest, and may be missing. With
    `is_stage` it is an image of another stage of the build."""

    basis: Basis
    named: str
    digests: frozenset[str] = frozenset()
    is_stage: bool = False

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
    whoever said so, where nobody has observed it. `disagreement` is what other evidence says against it; `doubt` is
    why its layers are a claim and no proof.

    `built_from` is the base that the files name where the layers show none of its builds, but `publications` of
    another: what it stands on is a build that was not seen. `inside` is the .NET runtime that the application
    brings itself, None where that is its base's. `unjudged` is why nothing was compared; `is_left_out` says that
    the operator wants it so.
    """

    platform: str
    strength: Strength = Strength.UNKNOWN
    basis: Basis = Basis.NOTHING
    publications: tuple[Publication, ...] = ()
    layers: int = 0
    named: str = ""
    disagreement: str = ""
    doubt: "Doubt | None" = None
    built_from: Base | None = None
    inside: RuntimeInside | None = None
    unjudged: str = ""
    is_left_out: bool = False

    @property
    def are_layers_proved(self) -> bool:
        """Whether it is sure that the layers of `publications` are at its bottom."""
        return self.basis is Basis.LAYERS and self.doubt not in _OF_LAYERS

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may be one of several images that differ."""
        return len({each.platform_digest for each in self.publications}) > 1

    def of(self, expected: Collection[Base]) -> "ImageStanding":
        """The same, seen as standing on one base: one of `expected` where it may, else the one whose tag moves with
        its channel."""
        bases = {each.base for each in self.publications}
        if not bases:
            return self
        current_bases = {each.base for each in self.publications if each.until is None}
        chosen = min(
            bases & set(expected) or bases,
            key=lambda base: (_firmness(base), base not in current_bases, len(base.tag), base),
        )
        return replace(self, publications=tuple(each for each in self.publications if each.base == chosen))

    @property
    def base(self) -> Base | None:
        """The base that it is seen to stand on; None where nobody has observed it."""
        return self.publications[0].base if self.publications else None

    @property
    def made_from(self) -> Base | None:
        """The base that a rebuild takes: the one that it is built from, also where no build of that was seen."""
        return self.built_from or self.base

    @property
    def unsigned(self) -> "ImageStanding":
        """The same where no signature around provenance counts any more: what only that has proved is claimed."""
        inside = RuntimeInside() if self.inside is not None and self.inside.is_signed else self.inside
        if self.basis is not Basis.VERIFIED_PROVENANCE:
            return replace(self, inside=inside)
        return replace(self, strength=Strength.CLAIMED, basis=Basis.UNSIGNED_PROVENANCE, inside=inside)

    @property
    def is_on_what_is_shown(self) -> bool:
        """Whether its bytes may be those that a base shows now: then it lacks nothing of that."""
        return any(each.until is None for each in self.publications)

    @property
    def state(self) -> ImageState:
        """How it stands to what the base that it is built from shows now; only what is proved is current."""
        if self.built_from is not None:
            return ImageState.UNSEEN_BUILD
        if self.behind_since is not None:
            return ImageState.BEHIND
        if self.strength is Strength.CONTRADICTED:
            return ImageState.CONTRADICTED
        if not self.is_on_what_is_shown:
            return ImageState.UNKNOWN
        is_inside_proved = self.inside is None or self.inside.is_current
        return ImageState.CURRENT if self.strength is Strength.PROVED and is_inside_proved else ImageState.CLAIMED

    @property
    def is_current(self) -> bool:
        """Whether it is proved to stand on what its base shows now."""
        return self.state is ImageState.CURRENT

    @property
    def behind_since(self) -> datetime | None:
        """Since when it is surely behind; None where it is current or where that cannot be told."""
        if self.built_from is not None:
            return None
        since = self.inside.behind_since if self.inside is not None else None
        if self.is_on_what_is_shown:
            return since
        ends = [each.until for each in self.publications if each.until]
        return min(filter(None, (max(ends, default=None), since)), default=None)

    def told(self, now: datetime) -> str:
        """Words the standing: `aspnet:10.0-noble of 2026-10-14, 41 days behind, proved by 5 layers`."""
        if self.unjudged:
            return f"not judged: {self.unjudged}"
        if not self.publications:
            return f"{self.named}, {self.strength} by its {self.basis}" if self.named else _NOTHING_TOLD
        parts = [f"{self.publications[0].base.short} of {_dates(self.publications)}"]
        if self.built_from is not None and self.built_from.name == self.publications[0].base.name:
            parts = [f"{parts[0]} where its files name {self.built_from.short}"]
        elif self.built_from is not None:
            parts = [f"a build of {self.built_from.short} that was not seen, over {parts[0]}"]
        parts += self._how_far(now)
        basis = counted(self.layers, "layer") if self.basis is Basis.LAYERS else f"its {self.basis}"
        parts.append(f"{self.strength} by {basis}")
        if self.inside is not None:
            parts.append(self.inside.told(now))
        parts += [f"but {self.disagreement}"] if self.disagreement else []
        parts += [_DOUBTS[self.doubt]] if self.doubt is not None else []
        return ", ".join(parts)

    def _how_far(self, now: datetime) -> list[str]:
        if self.built_from is not None:
            return ["as it is now"] if self.is_on_what_is_shown else []
        alike = ["one of several that look alike"] if self.is_ambiguous else []
        if self.is_on_what_is_shown:
            return [*alike, "current, since its bytes are the newest's" if alike else "current"]
        ends = [each.until for each in self.publications if each.until]
        return [*alike, *([f"{duration(now - max(ends))} behind"] if ends else [])]


def as_claims(standings: Iterable[ImageStanding]) -> tuple[ImageStanding, ...]:
    """The standings that an earlier edition of the law has judged: what it called proved is a claim."""
    return tuple(
        replace(each, strength=Strength.CLAIMED, doubt=Doubt.EARLIER_LAW)
        if each.strength is Strength.PROVED
        else each
        for each in standings
    )


def judged(standings: Iterable[ImageStanding]) -> list[ImageStanding]:
    """Those that count: what the operator leaves out is not asked about."""
    return [each for each in standings if not each.is_left_out]


def state_of(standings: Sequence[ImageStanding]) -> ImageState:
    """Tells how an image stands that was looked at, by the platform that stands worst; current are only images of
    which every platform is that is not left out."""
    order = list(ImageState)
    return min((each.state for each in judged(standings)), key=order.index, default=ImageState.UNKNOWN)


def weakest(standings: Sequence[ImageStanding]) -> Strength:
    """Tells what is known at least of all platforms."""
    order = list(Strength)
    return max((each.strength for each in judged(standings)), key=order.index, default=Strength.UNKNOWN)


def behind_since(standings: Sequence[ImageStanding]) -> datetime | None:
    """Since when some platform is surely behind; None where none is."""
    return min((each.behind_since for each in judged(standings) if each.behind_since), default=None)


_NOTHING_TOLD = (
    "unknown: no base that was seen has its layers at the bottom of it (squashed, from scratch, or packed anew); "
    "provenance by a builder that is trusted would tell"
)
_FIRMNESS = (PinStrength.MINOR, PinStrength.MAJOR, PinStrength.LATEST, PinStrength.PATCH, PinStrength.DIGEST)
"""Of the tags of one image the channel's own comes first: it moves with each fix and with no release of another
channel. A patch tag shows for ever what it showed."""


def _firmness(base: Base) -> int:
    return _FIRMNESS.index(pins(Reference(base.name, base.tag)))


def _dates(publications: Iterable[Publication]) -> str:
    dates = sorted({each.at.date() for each in publications})
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
