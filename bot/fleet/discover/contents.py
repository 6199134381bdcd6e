"""What the tree of a repository lists, and the contents of its files by the names that git gives them."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from weakref import WeakValueDictionary

from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import GitTree, Identity, TreeEntry
from bot.domain.repositories.usage import SourceProblem
from bot.fleet.discover.choosing import left_out
from bot.fleet.discover.ports import DiscoverStore

_TOGETHER = 50
"""Files that are asked for in one go."""
MOST_FOLDERS = 200
"""Folders of one repository that are asked for, each in a request, where its tree came cut short."""


async def entries_of(
    repository: Identity, tree: GitTree, forge: Forge
) -> tuple[list[TreeEntry], list[SourceProblem]]:
    """Reads all entries but folders, and a problem where there are too many folders to look at.

    GitHub cuts a listing at 100,000 entries or 7 MB. What it shows counts; folders are then walked from the top,
    where the files that build images stand.
    """
    entries = {entry.path: entry for entry in tree.entries if entry.kind != "tree"}
    if not tree.truncated:
        return list(entries.values()), []
    folders: list[tuple[str, str]] = [("", tree.sha)]
    folder_number = 0
    while folder_number < len(folders) and folder_number < MOST_FOLDERS:
        prefix, sha = folders[folder_number]
        folder_number += 1
        for entry in (await forge.subtree(repository, sha)).entries:
            entry_there = TreeEntry(f"{prefix}{entry.path}", entry.sha, entry.mode, entry.kind, entry.size)
            if entry.kind == "tree":
                folders.append((f"{entry_there.path}/", entry.sha))
            else:
                entries[entry_there.path] = entry_there
    if folder_number == len(folders):
        return list(entries.values()), []
    message = (
        f"the repository has too many folders; {left_out(len(folders) - folder_number, 'looked at on their own')}"
    )
    return list(entries.values()), [SourceProblem(folders[folder_number][0], 1, message)]


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
