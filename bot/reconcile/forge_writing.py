"""Work that writes to the forge: each write only while the lease holds, and in its account's turn."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import cast

from bot.domain.forge.branches import BranchChange
from bot.domain.forge.host import ForgeHost
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.wishes import Wishes
from bot.domain.repositories.repository import Identity
from bot.reconcile.guarded import CountContents, Guarded, no_contents
from bot.reconcile.loop import Loop
from bot.reconcile.work import Held, Item, Result, Work


def _opened(repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange) -> int:
    return int(request.current is None)


def _asked(repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> int:
    return len(wishes.people) + len(wishes.teams)


def _one(*arguments: object) -> int:
    return 1


WRITES: Mapping[str, CountContents] = {
    "prepare": no_contents,
    "carry_out": _opened,
    "close_pull_request": no_contents,
    "delete_branch": no_contents,
    "grant": _asked,
    "dispatch": no_contents,
    "open_issue": _one,
    "change_issue": no_contents,
    "upload_findings": no_contents,
}
"""The methods of `Forge` that change something there, each with how many pull requests, review requests, issues and
comments it makes."""


class ForgeWriting(Work[Item, Result]):
    """Takes one item at a time: GitHub asks for a second between two writes.

    Few are claimed, so that a stop waits for no more than these: one takes a few writes.
    """

    batch = 3
    at_once = 1
    rests_by_backoff = True

    def __init__(self, forge: Forge, host: ForgeHost, loop: Loop) -> None:
        self._forge = forge
        self._forge_host = host
        self._clock = loop.clock
        self._budget = loop.budget
        self.home = host.whole

    @abstractmethod
    def repository(self, item: Item) -> str:
        """The name of the repository that an item is about."""

    def host(self, item: Item) -> str:
        return self._forge_host.of(self.repository(item))

    def _guarded(self, held: Held) -> Forge:
        """The forge as it is written to while `held`, a lease at least, holds."""
        return cast(Forge, Guarded(self._forge, WRITES, held, self._budget))
