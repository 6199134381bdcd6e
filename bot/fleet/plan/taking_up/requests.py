"""What counts of the bot's pull requests, open or merged lately, and which way of their bases they tell of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.forge.pull_requests import OwnRequest
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.domain.rollouts.marker import MarkedTarget, read_marker
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.reopening import LOOKED_AT_FOR
from bot.domain.rollouts.rollout import PlannedRebuild

MOST_DIGESTS = 4
"""Of one base that are looked at, the latest first: pull requests are open for the last few."""

_WHOLE_SECONDS = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class MarkedRequest:
    """A pull request of the bot's own, open or merged, with what its marker says; each target is named by its last
    commit, which is the bot's too."""

    member: FleetRepository
    request: OwnRequest
    targets: tuple[MarkedTarget, ...]

    @property
    def key(self) -> tuple[int, int | None]:
        """By which a plan's rebuild that goes on with it is known: repository and number."""
        return self.member.id, self.request.number

    @property
    def bases(self) -> frozenset[Base]:
        return frozenset(target.base for target in self.targets)

    def seen_at(self, target: MarkedTarget) -> datetime:
        """When the base was seen to show what the target gets: before the pull request at any rate, of whose time
        the forge tells whole seconds."""
        opened_at, told_at = self.request.created_at, target.seen_at
        return opened_at if told_at is None or told_at >= opened_at + _WHOLE_SECONDS else told_at

    def as_rebuild(self, number: int) -> Rebuild:
        """The rebuild that goes on with it, as a plan would find one that is open: one that was merged too, whose
        merge is seen by who follows it."""
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
    marked = ((each, read_marker(each.body, each.marker)) for each in requests if each.is_to_default)
    return tuple(MarkedRequest(member, each, targets) for each, targets in marked if _is_committed(each, targets))


def _is_committed(request: OwnRequest, targets: Sequence[MarkedTarget]) -> bool:
    lines = (request.commit or "").splitlines()
    return bool(targets) and all(target.trailer in lines for target in targets)


def to_be_followed(
    requests: Sequence[MarkedRequest], shown: Mapping[Base, str | None], now: datetime
) -> list[MarkedRequest]:
    """Those that are open, and those that were merged within `LOOKED_AT_FOR` and whose build may not be proved yet.

    Of a repository's merged ones a base counts in the latest, where it is for what the base is `shown` with, and
    unless one is open for it: what is older is built with that.
    """
    following = [each for each in requests if not each.request.is_merged]
    taken = {(each.member.id, base) for each in following for base in each.bases}
    merged = [(each.request.merged_at, each) for each in requests if each.request.merged_at is not None]
    for merged_at, each in sorted(merged, key=lambda pair: pair[0], reverse=True):
        homes = {(each.member.id, base) for base in each.bases}
        is_shown = all(shown.get(target.base) == target.to_digest for target in each.targets)
        if merged_at > now - LOOKED_AT_FOR and is_shown and homes.isdisjoint(taken):
            following.append(each)
        taken |= homes
    return following


def key_of(plan: PlannedRebuild) -> tuple[int, int | None]:
    return plan.repository_id, plan.pull_request


def after_merge(plan: PlannedRebuild, merged: Mapping[tuple[int, int | None], MarkedRequest]) -> PlannedRebuild:
    """What goes on with a request that was merged is followed, and opens no other. Where something is still to be
    written, that is not what was merged, and gets its own request."""
    if key_of(plan) not in merged or plan.action is not Action.PULL_REQUEST:
        return plan
    request = merged[key_of(plan)].request
    if any(each.old != each.new and not each.marker for each in plan.replacements):
        return replace(plan, pull_request=None)
    reason = f"pull request #{request.number} was merged before the bot began with this store"
    return replace(plan, state=RebuildState.OPEN, reason=reason, replacements=())


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
