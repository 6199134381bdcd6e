"""Turns to write, of which each account has so many in a time, and a port whose writes wait for one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import NotIncluded
from bot.domain.repositories.repository import GITHUB, Identity
from bot.domain.rollouts.timing.pace import WriteLimits, account_of, asked_by
from bot.reconcile.work import Held


class NoTurn(Failure):
    """This account may not write at present. It can be read all the same, and others be written to.

    `is_news` says that the forge has just refused a write; who only waits for its turn is no problem to tell of.
    """

    def __init__(self, reason: str, retry_after: timedelta, *, is_news: bool = False) -> None:
        super().__init__(
            Trouble.THROTTLED,
            reason,
            advice="it goes on by itself when there is room again",
            retry_after=retry_after,
        )
        self._is_news = is_news

    @property
    def pauses_host(self) -> bool:
        return False

    @property
    def is_news(self) -> bool:
        return self._is_news


@dataclass(frozen=True, slots=True)
class Turn:
    """When a write may begin; `because` says what keeps it from beginning before, None where the turn is given."""

    at: datetime
    because: str | None = None


class BudgetStore(Protocol):
    """What all replicas have written for each account; each method is a transaction."""

    async def take(self, account: str, contents: int, limits: WriteLimits) -> Turn:
        """Gives the next turn and counts its contents, or says from when there will be one."""
        ...

    async def stop(self, account: str, pause: timedelta | None) -> timedelta:
        """The forge has refused a write for their number: nobody writes there for a while; how long that is."""
        ...


@dataclass(slots=True)
class Budget:
    """Asks for turns. `by_owner` where each owner of repositories has limits of its own, as a GitHub App's
    installations have; else all share those of one token. `host` names what is not GitHub, so that what
    is asked there takes no turn of GitHub's. `others` give those of other forges and builders, by their names."""

    store: BudgetStore
    clock: Clock
    limits: WriteLimits = WriteLimits()  # noqa: RUF009 - frozen
    by_owner: bool = True
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    host: str = ""
    others: Mapping[str, "Budget"] = field(default_factory=dict)

    def of(self, forge: str) -> "Budget":
        """The turns that count at a forge, or a builder."""
        if forge == GITHUB:
            return self
        return self.others.get(forge) or replace(self, by_owner=False, host=forge, others={})

    def account(self, repository: str) -> str:
        """Names the account whose limits count for a repository."""
        return account_of(repository, by_owner=self.by_owner, host=self.host)

    async def turn(self, account: str, contents: int) -> None:
        """Waits for its distance to the write before; raises `NoTurn` where there is no room for more content."""
        turn = await self.store.take(account, contents, self.limits)
        wait = turn.at - self.clock.now()
        if turn.because is not None:
            raise NoTurn(turn.because, max(wait, timedelta(seconds=1)))
        if wait > timedelta(0):
            await self.sleep(wait.total_seconds())

    async def refused(self, account: str, failure: Failure) -> NoTurn:
        """Stops the account, to which nobody writes for as long as the forge asked, and longer each time that it
        asks again."""
        pause = await self.store.stop(account, failure.retry_after)
        return NoTurn(f"{asked_by(account)} wants fewer writes ({failure.told})", pause, is_news=True)


CountContents = Callable[..., int]
"""From the arguments of a write to how many things it makes that people are notified of."""


Covers = Callable[[Identity], bool]
"""Whether the operator includes a repository, by its forge and name."""


def covers_all(repository: Identity) -> bool:
    """Includes every repository."""
    return True


def no_contents(*arguments: Any, **options: Any) -> int:
    """Returns 0, for writes that notify nobody."""
    return 0


def _never(*arguments: Any, **options: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write. `takes_back` tells of its arguments whether it only takes back what the bot has asked for:
    that may be done under any name."""

    contents: CountContents = no_contents
    takes_back: Callable[..., bool] = _never


@dataclass(frozen=True, slots=True)
class WriteBounds:
    """What bounds all writes alike: the turns of their accounts (None where nothing does), and the names of the
    repositories that are written to."""

    budget: Budget | None = None
    covers: Covers = covers_all


_UNBOUNDED = WriteBounds()


class Guarded:
    """Hands every call on to `port`; those named in `writes` are made under a name that the operator includes
    alone, and first wait for their turn and check what they rest on: the lease, and what else `condition` looks at.

    Their first argument is the repository. They raise `NotIncluded`, what `condition` raises, and `NoTurn` where
    the account may not write at present. Done here once, so that no write of a stage can forget it.
    """

    def __init__(
        self, port: object, writes: Mapping[str, Write], condition: Held, bounds: WriteBounds = _UNBOUNDED
    ) -> None:
        self._port = port
        self._writes = writes
        self._condition = condition
        self._budget = bounds.budget
        self._covers = bounds.covers

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        return self._guard(member, self._writes[name]) if name in self._writes else member

    def _guard(self, write: Callable[..., Awaitable[Any]], kind: Write) -> Callable[..., Awaitable[Any]]:
        async def checked(repository: Identity, *arguments: Any, **options: Any) -> Any:
            if not (self._covers(repository) or kind.takes_back(repository, *arguments, **options)):
                raise NotIncluded(repository.name)
            if self._budget is None:
                await self._condition.check()
                return await write(repository, *arguments, **options)
            place, owner = repository.owner
            budget = self._budget.of(place)
            account = budget.account(f"{owner}/")
            await budget.turn(account, kind.contents(repository, *arguments, **options))
            await self._condition.check()
            try:
                return await write(repository, *arguments, **options)
            except Failure as failure:
                if failure.trouble is Trouble.THROTTLED:
                    raise await budget.refused(account, failure) from failure
                raise

        return checked
