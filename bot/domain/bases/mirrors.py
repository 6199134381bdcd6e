"""Mirrors: registries that hold copies of what is published elsewhere, and how far such a copy is behind.

A base under a mirror has an upstream base. What the mirror shows counts for building, what upstream shows says what
there is to build upon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise, zip_longest

from bot.domain.bases.observation import Observation, PlatformImage, first_digits
from bot.domain.reference import Base
from bot.domain.wording.words import duration

_LOOKED_AT_BOTH = timedelta(hours=2)
"""So long what a mirror shows may be newer than what upstream was seen with."""
REST = "/*"
"""How both sides of a rule end that is about a folder and not about one repository."""


@dataclass(frozen=True, slots=True)
class MirrorRule:
    """`place` holds copies of `upstream`: two repositories, or two folders where both end in `/*`."""

    place: str
    upstream: str

    def upstream_name(self, name: str) -> str | None:
        """`registry/repository` that `name` is a copy of; None where it is not under this mirror."""
        if not self.place.endswith(REST):
            return self.upstream if name == self.place else None
        folder = self.place[: -len(REST) + 1]
        if not name.startswith(folder) or name == folder:
            return None
        return self.upstream[: -len(REST) + 1] + name[len(folder) :]


@dataclass(frozen=True, slots=True)
class Mirrors:
    """The rules of the operator, of which at most one is about any name."""

    rules: tuple[MirrorRule, ...] = ()

    def upstream_name(self, name: str) -> str | None:
        """`registry/repository` of which a name is a copy; None where no rule is about it."""
        names = (rule.upstream_name(name) for rule in self.rules)
        return next((name for name in names if name is not None), None)

    def upstream_of(self, base: Base) -> Base | None:
        """The base of which a base is a copy, under the same tag; None where no rule is about it."""
        name = self.upstream_name(base.name)
        if name is None:
            return None
        registry, _, repository = name.partition("/")
        return Base(registry, repository, base.tag)


class Likeness(StrEnum):
    """How a mirror's copy is known to be what upstream published."""

    DIGEST = "digest"
    PLATFORMS = "platforms"
    """It was pushed anew: another index, the same manifest for each platform that it has."""
    LAYERS = "layers"
    """It was pushed anew: other manifests, the same layers once they are unpacked."""

    @property
    def told(self) -> str:
        """Words the likeness, for tables and evidence: `the same digest`."""
        match self:
            case Likeness.DIGEST:
                return "the same digest"
            case Likeness.PLATFORMS:
                return "pushed anew with the same platform manifests"
            case _:
                return "pushed anew with the same unpacked layers (diff_ids)"


def likeness(copy: Observation, published: Observation) -> Likeness | None:
    """How a copy is the same as what was published; None where it is something else.

    A copy may leave platforms out; it may not add any.
    """
    if copy.digest is not None and copy.digest == published.digest:
        return Likeness.DIGEST
    theirs = published.by_platform()
    pairs = [
        (image, other)
        for platform, images in copy.by_platform().items()
        for image, other in zip_longest(images, theirs.get(platform, ())[: len(images)])
    ]
    if pairs and all(other is not None and image.digest == other.digest for image, other in pairs):
        return Likeness.PLATFORMS
    if pairs and all(_has_the_layers_of(image, other) for image, other in pairs):
        return Likeness.LAYERS
    return None


def _has_the_layers_of(image: PlatformImage, other: PlatformImage | None) -> bool:
    return other is not None and bool(image.diff_ids) and image.diff_ids == other.diff_ids


@dataclass(frozen=True, slots=True)
class Copied:
    """How a mirror's base stands to its upstream.

    `shows` is what was published that it shows, None where upstream was never seen with that; `likeness` says how
    that is known. `behind_since` is when upstream first showed something newer, None while the two are alike.
    """

    shows: Observation | None
    likeness: Likeness | None
    behind_since: datetime | None


def copied(copy: Observation, published: Sequence[Observation]) -> Copied:
    """Compares what a mirror shows with what upstream has shown, oldest first.

    What upstream was never seen with is behind from when both had come to where they are: a mirror may be looked
    at before its upstream.
    """
    shown_by_upstream = [each for each in published if each.digest is not None]
    if not shown_by_upstream:
        return Copied(None, None, None)
    for place in range(len(shown_by_upstream) - 1, -1, -1):
        alike = likeness(copy, shown_by_upstream[place])
        if alike is not None:
            return Copied(
                shown_by_upstream[place],
                alike,
                shown_by_upstream[place + 1].at if place + 1 < len(shown_by_upstream) else None,
            )
    return Copied(None, None, max(shown_by_upstream[-1].at, copy.at))


def took(copies: Sequence[Observation], published: Sequence[Observation]) -> tuple[tuple[datetime, timedelta], ...]:
    """When a mirror came to show what upstream had published, and how long that took; both are oldest first.

    A publication that the mirror left out is not measured, nor what both showed when they were first seen. A digest
    that upstream comes back to was copied from the last time before.
    """
    delays: list[tuple[datetime, timedelta]] = []
    publications = _moves(published)
    by_digest: dict[str | None, list[Observation]] = {}
    for each in publications:
        by_digest.setdefault(each.digest, []).append(each)
    for copy in _moves(copies):
        alike = by_digest.get(copy.digest) or [each for each in publications if likeness(copy, each) is not None]
        if alike:
            origin = max((each.at for each in alike if each.at <= copy.at), default=copy.at)
            delays.append((copy.at, copy.at - origin))
    return tuple(delays)


def tells_by_digests(copies: Sequence[Observation], published: Sequence[Observation]) -> bool:
    """Whether upstream was seen with each digest that a mirror has moved to: then nothing else of them matters to
    `took`."""
    digests = {each.digest for each in _moves(published)}
    return all(copy.digest in digests for copy in _moves(copies))


def _moves(observations: Sequence[Observation]) -> list[Observation]:
    """Those that show another digest than the one before; what was seen first is no move."""
    with_digest = [each for each in observations if each.digest is not None]
    return [after for before, after in pairwise(with_digest) if after.digest != before.digest]


def mirror_prefix(mirror: Base, upstream: Base) -> str:
    """What of a mirror's name stands in place of upstream's: `myacr.azurecr.io/mcr` for `mcr.microsoft.com`."""
    mine, theirs = mirror.name.split("/"), upstream.name.split("/")
    while len(mine) > 1 and len(theirs) > 1 and mine[-1] == theirs[-1]:
        mine.pop()
        theirs.pop()
    return "/".join(mine)


@dataclass(frozen=True, slots=True)
class Behind:
    """A mirror's base that does not show yet what upstream does."""

    base: Base
    upstream: Base
    digest: str | None
    """What upstream shows."""
    since: datetime
    foreign: str | None = None
    """What it shows instead, where upstream was never seen with that."""

    @property
    def reason(self) -> str:
        """`waits for myacr.azurecr.io/mcr to show sha256:0123456789ab of aspnet:10.0`."""
        digest_text = f"sha256:{first_digits(self.digest)}" if self.digest else "what upstream shows"
        return f"waits for {mirror_prefix(self.base, self.upstream)} to show {digest_text} of {self.base.short}"

    def is_foreign(self, now: datetime) -> bool:
        """Whether it shows what upstream did not publish. For a while it may only have been looked at first."""
        return self.foreign is not None and now - self.since >= _LOOKED_AT_BOTH

    def told(self, now: datetime) -> str:
        """The same with how far it is behind, or with what is there in place of a copy."""
        if self.is_foreign(now):
            place = mirror_prefix(self.base, self.upstream)
            return (
                f"{place} shows sha256:{first_digits(self.foreign or '')} under {self.base.short}, which "
                f"{self.upstream.registry} was never seen with: look who pushes there, or leave it out of `mirrors`"
            )
        return f"{self.reason}, {duration(max(now - self.since, timedelta()))} behind {self.upstream.registry}"
