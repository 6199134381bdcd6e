"""A port whose writes are only made in their account's turn, and while what they rest on holds then."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import NotIncluded
from bot.domain.repositories.repository import Identity
from bot.reconcile.budgets import Budget
from bot.reconcile.work import Held

CountContents = Callable[..., int]
"""From the arguments of a write to how many things it makes that people are notified of."""


Covers = Callable[[str], bool]
"""Whether the operator includes a repository of this name."""


def covers_all(name: str) -> bool:
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
            if not (self._covers(repository.name) or kind.takes_back(repository, *arguments, **options)):
                raise NotIncluded(repository.name)
            budget = self._budget
            if budget is None:
                await self._condition.check()
                return await write(repository, *arguments, **options)
            account = budget.account(repository.name)
            await budget.turn(account, kind.contents(repository, *arguments, **options))
            await self._condition.check()
            try:
                return await write(repository, *arguments, **options)
            except Failure as failure:
                if failure.trouble is Trouble.THROTTLED:
                    raise await budget.refused(account, failure) from failure
                raise

        return checked
