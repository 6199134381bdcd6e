"""What `act` needs of the store and the registries, and what it works on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.bases.change import Cause, Change, ToldWay
from bot.domain.feeds.advisory import worst
from bot.domain.host import Hosts
from bot.domain.packages.changes import PlatformChanges
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository, Identity
from bot.domain.rollouts.pinning import Refreshed, WantedDigests
from bot.domain.rollouts.policy import Policy, Terms
from bot.domain.rollouts.rebuild import Action, Rebuild
from bot.domain.rollouts.terms import Pin
from bot.domain.rollouts.timing.windows import Freeze, frozen_by
from bot.reconcile.work import Queue

Refresher = Callable[[Mapping[str, bytes], Mapping[str, WantedDigests]], Mapping[str, Refreshed]]
"""Brings files (content by path) to their wanted digests: `formats.rewrite.refresh`, wired in by the service. Those
for which nothing is wanted are only read with the others."""


MERGES_END_BEFORE = timedelta(minutes=15)
"""So long before a freeze what merges by itself is stopped: forges merge on their own, and need time to be told."""


@dataclass(frozen=True, slots=True)
class Successor:
    """What a later rebuild does instead, and where it can be seen."""

    action: Action
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed rebuild with all that its text and its edits need.

    `paths` are the files that may have to change, `places` those that name each base. `is_listed` is False once the
    repository has left the fleet: archived, excluded or removed. `replaced_by` is what a later rebuild does instead
    about the same bases, None where there is none. `policy` is the operator's. `quarantined` are the bases whose
    new digest is held back fleet-wide, each with why. `at_request` says that a person asked for it to begin now.
    `condemned` is a digest that the repository pins and that was held back until the next one came, where a
    dispatch would build on it. `shown_since` is from when on each base shows what is wanted of it, without those
    that do not; `is_provable` says that an image is known in which a build shows whether it took that. `packages`
    say how each base's packages changed from what the repository has to what it gets, as far as known. `is_paused`
    says that its rollout is, alone or with all others, `is_all_paused` that the bot is as a whole. `is_later_kept`
    says of a superseded one that a word keeps the rebuild that is to go on with its pull request. `told_ways` are
    those of `changes` that nobody saw happen: what releases tell of the way from what files still pin.
    """

    rebuild: Rebuild
    member: FleetRepository
    default_branch: str
    changes: tuple[Change, ...]
    paths: tuple[str, ...]
    is_listed: bool = True
    places: Mapping[Base, tuple[str, ...]] = field(default_factory=dict)
    replaced_by: Successor | None = None
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    quarantined: Mapping[Base, str] = field(default_factory=dict)
    at_request: bool = False
    condemned: str | None = None
    shown_since: Mapping[Base, datetime] = field(default_factory=dict)
    is_provable: bool = False
    packages: Mapping[Base, tuple[PlatformChanges, ...]] = field(default_factory=dict)
    is_paused: bool = False
    is_all_paused: bool = False
    is_later_kept: bool = False
    told_ways: Mapping[Base, ToldWay] = field(default_factory=dict)

    @property
    def build_home(self) -> Identity:
        """Its repository, as it is called now, as what builds it is asked about it."""
        return self.member.identity.for_builds(self.rebuild.workflow)

    @property
    def seen_changes(self) -> tuple[Change, ...]:
        """The changes but for those of which only releases tell."""
        told_changes = [way.change for way in self.told_ways.values()]
        return tuple(change for change in self.changes if change not in told_changes)

    @property
    def weighed(self) -> tuple[Change, ...]:
        """The changes that rules and freezes are asked with: those that were seen, as when it was planned; of a
        base that was not seen to move, what releases tell."""
        seen_bases = {change.base for change in self.seen_changes}
        told_changes = (way.change for base, way in self.told_ways.items() if base not in seen_bases)
        return (*told_changes, *self.seen_changes)

    def frozen(self, now: datetime) -> Freeze | None:
        """The freeze that keeps it from beginning, which a person's word and a fix that is severe enough pass."""
        severity = worst(change.severity for change in self.weighed)
        return None if self.at_request else frozen_by(self.policy.freezes, now, severity)

    def merge_frozen(self, now: datetime) -> bool:
        """Whether a pause, a freeze, or one that begins soon, keeps it from merging by itself. A person's word to
        begin does not pass that."""
        if self.is_paused:
            return True
        anyway = replace(self, at_request=False)
        begins = [each.since for each in self.policy.freezes if now < each.since <= now + MERGES_END_BEFORE]
        return any(anyway.frozen(moment) is not None for moment in (now, *begins))

    @property
    def terms(self) -> Terms:
        """What holds for it, now that its changes are known as they are."""
        name = self.member.name
        several = [self.policy.terms(name, each.base, each.cause, each.severity) for each in self.weighed]
        if not several:  # it was planned for its age, or nothing tells what it lacks
            targets = self.rebuild.targets
            several = [self.policy.terms(name, target.base, Cause.AGE, None) for target in targets]
        return self.policy.together(several) if several else Terms()

    @property
    def followed_back(self) -> frozenset[Base]:
        """The bases that went back to an older version, and that a rule has followed there."""
        name = self.member.name
        return frozenset(
            change.base
            for change in self.weighed
            if change.cause is Cause.ROLLBACK
            and self.policy.terms(name, change.base, change.cause, change.severity).follow_rollbacks
        )

    @property
    def pins(self) -> Mapping[Base, Pin]:
        """Maps each base to how references to it are to be written."""
        name = self.member.name
        return {
            change.base: self.policy.terms(name, change.base, change.cause, change.severity).pin
            for change in self.weighed
        }


@dataclass(frozen=True, slots=True)
class ActOptions:
    """`follow_every` is how often an open pull request or a run is looked at, `open_pull_requests` how many a
    repository may have open, `label` what the bot's pull requests bear."""

    follow_every: timedelta = timedelta(minutes=5)
    open_pull_requests: int = 2
    visible_after: timedelta = timedelta(hours=1)
    """How long a dispatched run may take to appear in the listing before it counts as not started."""
    label: str = "freshness"
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    hosts: Hosts = Hosts()  # noqa: RUF009 - frozen
    """Under which names the forge and the builder pause."""


class ActStore(Protocol):
    """What acting asks of the store; each method is one transaction."""

    @property
    def jobs(self) -> Queue[Job]:
        """Rebuilds that await their action, open ones whose text is outdated, and superseded ones whose pull
        request may merge by the bot's word though another word may keep it from that."""
        ...

    async def save_progress(self, rebuild: Rebuild) -> None:
        """Stores what an attempt intends or has reached; raises `LeaseLost` where it is not ours any more."""
        ...

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None: ...

    async def runs_taken(self, home: Identity) -> set[int]: ...

    async def merge_repeated_by(self, rebuild: Rebuild) -> Rebuild | None:
        """The failed rebuild of a merged pull request whose build this dispatch is to repeat; None where it is for
        something else."""
        ...

    async def open_pull_requests(self, repository: str) -> int: ...

    async def due_for_dispatch(self, limit: int) -> Sequence[Identity]:
        """Repositories whose dispatches come next."""
        ...

    async def notice_policy(self, policy: int) -> None:
        """Has what is open looked at once where these are other rules than before; `policy` stands for them."""
        ...

    async def notice_freezes(self, freezes: int) -> None:
        """Has what merges by itself, or may once a freeze is over, looked at once where other freezes hold than
        before; `freezes` stands for them, 0 for none."""
        ...

    async def read_again(self, repository: int) -> None:
        """Has the files of a repository read anew, although its branch may be where it was when they were read."""
        ...

    async def read_within_a_day(self, repository: int) -> None:
        """Has the files of a repository read anew with its next push, or tomorrow: what was refused there is then
        planned again."""
        ...

    async def notice_delays(self) -> None:
        """Tells people of owners where rebuilds are delayed, for a day and more as of what waits for a person."""
        ...

    async def read_once_listed(self, repository: int) -> None:
        """Has the files of a repository read anew at the next listing that shows it as one that takes changes."""
        ...

    async def outdate_pull_requests(self, rebuild: Rebuild) -> None:
        """Makes due what is open for the bases of `rebuild`, which now gets them rebuilt in another way."""
        ...
