"""What names a base as it was while the base has gone on: how far it is behind, and what it lacks by that."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.bases.change import Cause, Change, Move, lasting
from bot.domain.bases.observation import Observation
from bot.domain.bases.told_way import ToldWay
from bot.domain.bases.version_line import pinned_to
from bot.domain.feeds.advisory import worst
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.pinning import named_version

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
