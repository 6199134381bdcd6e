"""A port whose writes are only made while the lease on the item holds."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.reconcile.work import Lease


class Guarded:
    """Hands every call on to `port`; those named in `writes` first check the lease, which raises `LeaseLost`.

    Done here once, so that no write of a stage can forget it.
    """

    def __init__(self, port: object, writes: frozenset[str], lease: Lease) -> None:
        self._port = port
        self._writes = writes
        self._lease = lease

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return _checked(found, self._lease) if name in self._writes else found


def _checked(write: Callable[..., Awaitable[Any]], lease: Lease) -> Callable[..., Awaitable[Any]]:
    async def checked(*arguments: Any, **named: Any) -> Any:
        await lease.check()
        return await write(*arguments, **named)

    return checked
