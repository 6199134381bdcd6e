"""What a reference becomes when its base moves, and what is behind because it did not."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bot.domain.bases.change import Cause, Change, Move, ToldWay, lasting
from bot.domain.bases.dotnet import goes_back
from bot.domain.bases.followed_base import (
    Unknown,
    base_among,
    is_line,
    pinned_to,
    reference_after_move,
    tagged_version,
)
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import worst
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.sdk_pin import is_sdk_version
from bot.domain.repositories.usage import Replacement, SourceProblem, Usage
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.terms import Pin


def wanted_reference(
    reference: Reference,
    base: Base | None,
    digest: str,
    version: str | None,
    pin: Pin = Pin.KEEP,
    *,
    may_go_back: bool = False,
) -> Reference | Unknown:
    """The reference to write once the base that it follows shows `digest` with `version`: that of .NET, None where
    the image tells none, or the newest tag of a line.

    A pin is loosened only by a move: what stands on the new digest already stays as it is. A line has no tag to
    loosen it to. A reference that names a newer version than the base shows stays, however it is pinned, but where
    `may_go_back` says that a rule has bases followed backwards.
    """
    version_in_tag = named_version(reference, base)
    if not may_go_back and goes_back(version_in_tag, version):
        return Unknown(f"{reference} names {version_in_tag}, and its base shows the older {version}", is_ahead=True)
    if base is not None and is_line(base):
        if version is None:
            return Unknown(f"the newest release of {base.short} is not known yet")
        target: Reference | Unknown = reference.with_tag(version, digest if reference.digest is not None else None)
    elif pin is Pin.FLOATING and base is not None and reference.digest != digest:
        return reference.with_tag(base.tag, None)
    else:
        target = reference_after_move(reference, digest, version)
    if pin is Pin.DIGEST and not isinstance(target, Unknown):
        return target.with_tag(target.tag, digest)
    return target


def named_version(reference: Reference, base: Base | None) -> str | None:
    """The version that the tag of a reference names, of .NET or of the line `base`; None where it floats."""
    return reference.tag if base is not None and is_line(base) else tagged_version(reference)


_WEIGHT = (
    Cause.DOTNET_SECURITY,
    Cause.DOTNET_RELEASE,
    Cause.DOTNET_UNKNOWN,
    Cause.BASE_UPDATE,
    Cause.CHANNEL_MOVE,
    Cause.OS_MOVE,
    Cause.OS_UPDATE,
    Cause.LAYERS_ONLY,
)
"""Of several changes on one way, the first of these says what the way is about. A rollback is not among them: who
lacks what the base shows is not taken back by it."""


@dataclass(frozen=True, slots=True)
class BehindUsage:
    """A usage whose base shows something else by now.

    A pin is behind where it names what the base has left; what floats is where its last build is older than what
    the base shows. `moves` are the changes of the base since then, as far as they are known, the oldest first.
    `published_at` is when the base showed what is pinned, or when what floats was built; None where that cannot be
    dated. `stood_on` is what is pinned, as it was seen or read, or else the version that the tag names. `told_way`
    is what releases tell of the way from there; what the base was seen to do counts before it.
    """

    member: FleetRepository
    usage: Usage
    base: Base
    observation: Observation
    published_at: datetime | None = None
    moves: tuple[Move, ...] = ()
    told_way: ToldWay | None = None
    stood_on: Observation | str | None = None

    @property
    def version(self) -> str | None:
        """The version that is pinned: the one that the tag names, else the one that its image declares."""
        seen_version = self.stood_on.version if isinstance(self.stood_on, Observation) else self.stood_on
        return named_version(self.usage.reference, self.base) or seen_version

    @property
    def pinned(self) -> str | None:
        """The digest or the patch tag that it names; None for what floats."""
        reference = self.usage.reference
        if reference.digest is not None:
            return reference.digest
        return reference.tag if pinned_to(reference, self.base) is not None else None


@dataclass(frozen=True, slots=True)
class FleetBehind:
    """All that is behind, and how much of the fleet was looked at.

    `followed` counts the repositories that stand on a watched base and are not left alone. `untold` counts those
    that name a floating tag and of which no build is known, so that nobody can say.
    """

    usages: tuple[BehindUsage, ...]
    followed: int
    left_alone: int = 0
    untold: int = 0


def lacking(behind: BehindUsage, now: datetime) -> Change:
    """Returns all changes on the way as one, made now: so it settles, and has its time, like any other change.

    Where none was seen, what releases tell of the way counts. Where they do not either, the cause is `age`: it has
    been left behind, and nothing tells what it lacks.
    """
    changes = lasting([move.change for move in behind.moves])
    told_ways = () if behind.told_way is None else (behind.told_way.change,)
    if not behind.moves:
        changes = told_ways
    reference = behind.usage.reference
    ways = (*(move.change for move in behind.moves), *told_ways)
    from_version = behind.version or next((way.from_version for way in ways if way.from_version), None)
    causes = {change.cause for change in changes}
    cves = tuple(dict.fromkeys(cve for change in changes for cve in change.cves))
    concerning = {cve for change in changes for cve in change.cves if cve not in change.not_relevant}
    return Change(
        base=behind.base,
        at=now,
        from_digest=reference.digest or next((move.change.from_digest for move in behind.moves), None),
        to_digest=behind.observation.digest,
        cause=next((cause for cause in _WEIGHT if cause in causes), Cause.AGE),
        cause_at_detection=Cause.AGE,
        from_version=from_version,
        to_version=behind.observation.version,
        cves=cves,
        not_relevant=tuple(cve for cve in cves if cve not in concerning),
        severity=worst(change.severity for change in changes),
        ratings=tuple(dict(rating for change in changes for rating in change.ratings).items()),
        links=tuple(dict(link for change in changes for link in change.links).items()),
        platforms=_platforms([move.change for move in behind.moves]),
        lacks=behind.moves[-1].change.lacks if behind.moves else (),
    )


def _platforms(changes: Iterable[Change]) -> tuple[str, ...]:
    """All that changed on the way; none where one change does not tell its own, so that all count."""
    platforms_by_change = [change.platforms for change in changes]
    return (
        tuple(sorted({each for platforms in platforms_by_change for each in platforms}))
        if all(platforms_by_change)
        else ()
    )


@dataclass(frozen=True, slots=True)
class WantedDigest:
    """Every usage that follows `base` is to stand on `digest`, which holds .NET `version`.

    With `marks`, usages that need no edit get the marker line. `pin` says how a reference to it is to be written.
    `may_go_back` says that a rule has the base followed to an older version.
    """

    base: Base
    digest: str
    version: str | None = None
    marks: bool = False
    pin: Pin = Pin.KEEP
    may_go_back: bool = False


@dataclass(frozen=True, slots=True)
class WantedDigests:
    """`sdk` is the version that global.json files are to ask for, where they must move along."""

    of_bases: tuple[WantedDigest, ...]
    sdk: str | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One file brought to its wanted digests: `met` are its bases that are now right, `refused` what could not be
    written, `moved` what else the edits of a shared property move; `new_tags` take the place of other tags."""

    data: bytes
    met: frozenset[Base] = field(default_factory=frozenset)
    refused: tuple[SourceProblem, ...] = ()
    moved: tuple[SourceProblem, ...] = ()
    new_tags: tuple[Reference, ...] = ()


def moves_sdk_pins(item: Replacement) -> bool:
    """Whether it is one for global.json, or for an image that is pinned as global.json is: they move together."""
    new = item.new
    is_version = new.tag is not None and new.digest is None and is_sdk_version(new.tag)
    return is_version and not item.marker and new.base.is_sdk


def wanted_digests_of(
    rebuild: Rebuild,
    changes: Iterable[Change],
    pins: Mapping[Base, Pin] = MappingProxyType({}),
    followed_back: Collection[Base] = (),
) -> WantedDigests:
    """Says which digest each base is to have, by what was planned, whatever files hold by now.

    Where no change tells the version that a digest holds, what was planned to be written does. `pins` are the
    styles of bases whose pins do not just stay as they are, `followed_back` the bases that a rule has followed to
    an older version.
    """
    versions = {(each.base, each.to_digest): each.to_version for each in changes if each.to_version is not None}
    planned_versions: dict[Base, str] = {}
    of_unknown = {target.base for target in rebuild.targets if not target.changes}
    bases = [target.base for target in rebuild.targets]
    for item in rebuild.replacements:
        base = base_among(item.old, bases)
        version = named_version(item.new, base)
        if base is not None and base in of_unknown and version is not None:
            planned_versions.setdefault(base, version)
    marked = {base_among(item.old, bases) for item in rebuild.replacements if item.marker}
    sdks = [item.new.tag for item in rebuild.replacements if moves_sdk_pins(item)]
    return WantedDigests(
        tuple(
            WantedDigest(
                target.base,
                target.to_digest,
                versions.get((target.base, target.to_digest)) or planned_versions.get(target.base),
                target.base in marked,
                pins.get(target.base, Pin.KEEP),
                target.base in followed_back,
            )
            for target in rebuild.targets
        ),
        next((tag for tag in reversed(sdks) if tag is not None), None),
    )
