"""A port whose writes are only made in their account's turn, and while what they rest on holds then."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity
from bot.reconcile.budgets import Budget
from bot.reconcile.work import Held

CountContents = Callable[..., int]
"""From the arguments of a write to how many things it makes that people are notified of."""


def no_contents(*arguments: Any, **named: Any) -> int:
    """Returns 0, for writes that notify nobody."""
    return 0


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
