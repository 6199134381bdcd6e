"""Turns to write: each account may make so much in a time, counted in the store for all replicas together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.timing.pace import WriteLimits, account_of


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
    installations have; else all share those of one token."""

    store: BudgetStore
    clock: Clock
    limits: WriteLimits = WriteLimits()  # noqa: RUF009 - frozen
    by_owner: bool = True
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def account(self, repository: str) -> str:
        """Names the account whose limits count for a repository."""
        return account_of(repository, by_owner=self.by_owner)

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
        return NoTurn(f"the forge wants fewer writes ({failure.told})", pause, is_news=True)
