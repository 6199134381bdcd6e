"""File contents by the name that git gives them."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from weakref import WeakValueDictionary

from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity
from bot.fleet.discover.ports import DiscoverStore

_TOGETHER = 50
"""Files that are asked for in one go."""


class KeptContents:
    """Fetches contents: what any repository has shown before never again, and nothing twice at the same moment.

    Whoever comes first fetches, the others wait for it. Where it fails, each asks its own repository, so that
    one which denies access keeps nobody else from a file that both have.
    """

    def __init__(self, store: DiscoverStore, forge: Forge) -> None:
        self._store = store
        self._forge = forge
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._fetched: set[str] = set()

    async def of(self, repository: Identity, shas: Iterable[str]) -> dict[str, bytes]:
        """Fetches contents, by sha. Raises `Failure`; what came before that is kept in the store."""
        all_shas = sorted(set(shas))
        contents = dict(await self._store.known_blobs(all_shas))
        missing = [sha for sha in all_shas if sha not in contents]
        for start in range(0, len(missing), _TOGETHER):
            contents |= await self._read_chunk(repository, missing[start : start + _TOGETHER])
        return contents

    async def _read_chunk(self, repository: Identity, shas: Sequence[str]) -> dict[str, bytes]:
        """Takes their turns in the order of their names, so that no two ever wait for each other."""
        async with AsyncExitStack() as turns:
            for sha in shas:
                await turns.enter_async_context(self._turns.setdefault(sha, asyncio.Lock()))
            contents = dict(await self._store.known_blobs([sha for sha in shas if sha in self._fetched]))
            missing = [sha for sha in shas if sha not in contents]
            if missing:
                bodies = await self._forge.blobs(repository, missing)
                await self._store.save_blobs(bodies)
                self._fetched |= bodies.keys()
                contents |= bodies
            return contents
