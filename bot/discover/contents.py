"""File contents by the name that git gives them."""

import asyncio
from collections.abc import Iterable
from weakref import WeakValueDictionary

from bot.discover.ports import DiscoverStore, Host

_AT_ONCE = 4


class Contents:
    """What any repository has shown before is never fetched again, nor twice at the same moment.

    Whoever comes first fetches, the others wait for it. Where it fails, each asks its own repository, so that
    one which denies access keeps nobody else from a file that both have.
    """

    def __init__(self, store: DiscoverStore, host: Host) -> None:
        self._store = store
        self._host = host
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._fetched: set[str] = set()

    async def of(self, repository: str, shas: Iterable[str]) -> dict[str, bytes]:
        """The contents by sha. Raises `Failure`; what came before that is kept in the store."""
        wanted = sorted(set(shas))
        found = dict(await self._store.known_blobs(wanted))
        missing = [sha for sha in wanted if sha not in found]
        for start in range(0, len(missing), _AT_ONCE):
            together = missing[start : start + _AT_ONCE]
            bodies = await asyncio.gather(*(self._one(repository, sha) for sha in together), return_exceptions=True)
            for sha, body in zip(together, bodies, strict=True):
                if isinstance(body, BaseException):
                    raise body
                found[sha] = body
        return found

    async def _one(self, repository: str, sha: str) -> bytes:
        turn = self._turns.setdefault(sha, asyncio.Lock())
        async with turn:
            if sha in self._fetched:
                return (await self._store.known_blobs([sha]))[sha]
            body = await self._host.blob(repository, sha)
            await self._store.save_blobs({sha: body})
            self._fetched.add(sha)
            return body
