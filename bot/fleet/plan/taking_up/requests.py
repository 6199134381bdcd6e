"""What counts of the bot's open pull requests, and which way of their bases they tell of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.forge.pull_requests import OwnRequest
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.domain.rollouts.marker import MarkedTarget, read_marker
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target

MOST_DIGESTS = 4
"""Of one base that are looked at, the latest first: pull requests are open for the last few."""


@dataclass(frozen=True, slots=True)
class MarkedRequest:
    """An open pull request of the bot's own with what its marker says; each target is named by its last commit,
    which is the bot's too."""

    member: FleetRepository
    request: OwnRequest
    targets: tuple[MarkedTarget, ...]

    @property
    def bases(self) -> frozenset[Base]:
        return frozenset(target.base for target in self.targets)

    def seen_at(self, target: MarkedTarget) -> datetime:
        """When the base was seen to show what the target gets: before the pull request at any rate."""
        return min(target.seen_at or self.request.created_at, self.request.created_at)

    def as_rebuild(self, number: int) -> Rebuild:
        """The rebuild that goes on with it, as a plan would find one that is open."""
        return Rebuild(
            id=-number,
            rollout=0,
            repository=self.member.name,
            action=Action.PULL_REQUEST,
            state=RebuildState.OPEN,
            reason="",
            targets=tuple(Target(each.base, None, each.to_digest, ()) for each in self.targets),
            replacements=(),
            wave="",
            due_at=self.request.created_at,
            planned_at=self.request.created_at,
            branch=self.request.branch,
            pull_request=self.request.number,
        )


def marked_requests(member: FleetRepository, requests: Iterable[OwnRequest]) -> tuple[MarkedRequest, ...]:
    """Those that go to the default branch and whose marker says nothing that the bot's last commit does not."""
    marked = ((each, read_marker(each.body)) for each in requests if each.is_to_default)
    return tuple(MarkedRequest(member, each, targets) for each, targets in marked if _is_committed(each, targets))


def _is_committed(request: OwnRequest, targets: Sequence[MarkedTarget]) -> bool:
    lines = (request.commit or "").splitlines()
    return bool(targets) and all(target.trailer in lines for target in targets)


@dataclass(frozen=True, slots=True)
class MarkedWay:
    """Which digests a base has shown by what pull requests tell, each with when it was seen to come, oldest first;
    `before` are those from which it came to the first of them, as several requests may tell."""

    before: tuple[str, ...]
    shown: tuple[tuple[str, datetime], ...]


def marked_ways(requests: Iterable[MarkedRequest]) -> Mapping[Base, MarkedWay]:
    """Of several that tell otherwise when a digest came, the latest counts: what was built since then has it."""
    times: dict[Base, dict[str, datetime]] = {}
    origins: dict[tuple[Base, str], dict[str, None]] = {}
    for marked in requests:
        for target in marked.targets:
            seen = times.setdefault(target.base, {})
            told_at = marked.seen_at(target)
            seen[target.to_digest] = max(seen.get(target.to_digest, told_at), told_at)
            if target.from_digest is not None:
                origins.setdefault((target.base, target.to_digest), {})[target.from_digest] = None
    return {base: _way(base, seen, origins) for base, seen in times.items()}


def _way(
    base: Base, seen: Mapping[str, datetime], origins: Mapping[tuple[Base, str], Mapping[str, None]]
) -> MarkedWay:
    latest = sorted(seen.items(), key=lambda item: (item[1], item[0]))[-MOST_DIGESTS:]
    before = [each for each in origins.get((base, latest[0][0]), ()) if each not in dict(latest)]
    return MarkedWay(tuple(before[:MOST_DIGESTS]), tuple(latest))
