"""Work that writes to the forge or starts builds: only while the lease holds, and in its account's turn."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from bot.domain.builder.port import Builder
from bot.domain.forge.branches import BranchChange
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import NO_MERGE, PullRequest, RequestChange, Wishes
from bot.domain.host import Host
from bot.domain.repositories.repository import Identity
from bot.reconcile.guarded import Covers, Guarded, Write, WriteBounds
from bot.reconcile.loop import Loop
from bot.reconcile.work import Held, Item, Result, Work


def _count_opened(
    repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange
) -> int:
    return int(request.current is None)


def _count_reviews(repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> int:
    return len(wishes.people) + len(wishes.teams)


def _count_one(*arguments: object) -> int:
    return 1


def _stops_merging(repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> bool:
    """Whether it has a pull request that the bot set to merge by itself do so no more, and nothing else."""
    return wishes == NO_MERGE and request.is_to_merge_by_us


FORGE_WRITES: Mapping[str, Write] = {
    "prepare": Write(),
    "carry_out": Write(_count_opened),
    "close_pull_request": Write(),
    "delete_branch": Write(),
    "grant": Write(_count_reviews, _stops_merging),
    "open_issue": Write(_count_one),
    "change_issue": Write(),
    "upload_findings": Write(),
    "record_deployments": Write(),
}
"""The methods of `Forge` that change something there, each with how many pull requests, review requests, issues and
comments it makes."""
BUILDER_WRITES: Mapping[str, Write] = {"dispatch": Write()}
"""The same of `Builder`."""


def guarded(forge: Forge, condition: Held, bounds: WriteBounds) -> Forge:
    """The forge as it is written to while `condition` holds, and within `bounds`."""
    return cast(Forge, Guarded(forge, FORGE_WRITES, condition, bounds))


class ForgeWriting(Work[Item, Result]):
    """Takes one item at a time: GitHub asks for a second between two writes.

    Few are claimed, so that a stop waits for no more than these: one takes a few writes.
    """

    batch = 3
    at_once = 1
    rests_by_backoff = True

    def __init__(self, forge: Forge, host: Host, loop: Loop) -> None:
        self._forge = forge
        self._forge_host = host
        self._clock = loop.clock
        self._bounds = WriteBounds(loop.budget, loop.covers)
        self._builder_budget = loop.builder_budget or loop.budget
        self.home = host.whole

    @abstractmethod
    def repository(self, item: Item) -> Identity:
        """The repository that an item is about."""

    def host(self, item: Item) -> str:
        return self._forge_host.of(self.repository(item))

    def _covers(self, repository: Identity) -> bool:
        """Whether a repository may be written to under its name; `Guarded` asks the same at each write."""
        return self._bounds.covers(repository)

    def _guarded(self, condition: Held, own_name: str | None = None) -> Forge:
        """The forge as it is written to while `condition`, a lease at least, holds."""
        return guarded(self._forge, condition, self._bounds_with(own_name))

    def _guarded_builder(self, builder: Builder, condition: Held, own_name: str | None = None) -> Builder:
        """The builder as it is asked for builds while `condition` holds, in turns of its own where it has them."""
        bounds = replace(self._bounds_with(own_name), budget=self._builder_budget)
        return cast(Builder, Guarded(builder, BUILDER_WRITES, condition, bounds))

    def _bounds_with(self, own_name: str | None) -> WriteBounds:
        """The bounds of writes; a repository that the operator has named for this very write, by `own_name`, is
        included too, as long as it is called so."""
        return self._bounds if own_name is None else replace(self._bounds, covers=self._covers_or(own_name))

    def _covers_or(self, own_name: str) -> Covers:
        return lambda home: self._covers(home) or home.name.lower() == own_name.lower()
