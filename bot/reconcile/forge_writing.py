"""Work that writes to the forge: each write only while the lease holds, and in its account's turn."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange
from bot.domain.forge.host import ForgeHost
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.wishes import Wishes
from bot.domain.repositories.repository import Identity
from bot.reconcile.budgets import Budget
from bot.reconcile.loop import Loop
from bot.reconcile.work import Held, Item, Result, Work

CountContents = Callable[..., int]
"""From the arguments of a write to how many things it makes that people are notified of."""


def no_contents(*arguments: Any, **named: Any) -> int:
    """Returns 0, for writes that notify nobody."""
    return 0


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


class Guarded:
    """Hands every call on to `port`; those named in `writes` first wait for their turn and check what they rest on:
    the lease, and what else `held` looks at.

    Their first argument is the repository. They raise what `held` raises, and `NoTurn` where the account may not
    write at present. Done here once, so that no write of a stage can forget it.
    """

    def __init__(
        self, port: object, writes: Mapping[str, CountContents], held: Held, budget: Budget | None = None
    ) -> None:
        self._port = port
        self._writes = writes
        self._held = held
        self._budget = budget

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._checked(found, self._writes[name]) if name in self._writes else found

    def _checked(
        self, write: Callable[..., Awaitable[Any]], contents: CountContents
    ) -> Callable[..., Awaitable[Any]]:
        async def checked(repository: Identity, *arguments: Any, **named: Any) -> Any:
            budget = self._budget
            if budget is None:
                await self._held.check()
                return await write(repository, *arguments, **named)
            account = budget.account(repository.name)
            await budget.turn(account, contents(repository, *arguments, **named))
            await self._held.check()
            try:
                return await write(repository, *arguments, **named)
            except Failure as failure:
                if failure.trouble is Trouble.THROTTLED:
                    raise await budget.refused(account, failure) from failure
                raise

        return checked


class ForgeWriting(Work[Item, Result]):
    """Takes one item at a time: GitHub asks for a second between two writes.

    Few are claimed, so that a stop waits for no more than these: one takes a few writes.
    """

    batch = 3
    at_once = 1

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
