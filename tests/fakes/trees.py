"""A forge in memory as the discovery sees it, for what a real one does not do on request."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import Silence
from bot.domain.repositories.repository import GitTree, Identity, Repository, TreeEntry


def named(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


def tree_of(files: Mapping[str, bytes], *, truncated: bool = False) -> GitTree:
    """The whole tree; `truncated` shows nothing of it, as far as the host may go."""
    entries = tuple(TreeEntry(path, named(body), size=len(body)) for path, body in sorted(files.items()))
    name = named(repr(entries).encode())
    return GitTree(name, () if truncated else entries, truncated)


@dataclass(slots=True)
class FakeTrees:
    """Repositories with their files; a `Failure` in the place of the files is raised."""

    files: dict[str, Mapping[str, bytes] | Failure | None] = field(default_factory=dict)
    truncated: set[str] = field(default_factory=set)
    listing: list[Repository] | Failure | None = None
    granted: Mapping[str, Mapping[str, str]] | None = None
    blob_failures: dict[str, Failure] = field(default_factory=dict)
    """By repository."""
    asked: Counter[str] = field(default_factory=Counter)
    owners: Sequence[str] | None = None

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        return {}

    async def grants(self) -> Mapping[str, Mapping[str, str]] | None:
        return self.granted

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        self.asked["repositories"] += 1
        self.owners = owners
        if isinstance(self.listing, Failure):
            raise self.listing
        return [Repository(name, "main") for name in self.files] if self.listing is None else self.listing

    async def tree(self, repository: Identity, ref: str, known: str | None = None) -> GitTree | None:
        self.asked["tree"] += 1
        files = self._files(repository.name)
        return None if files is None else tree_of(files, truncated=repository.name in self.truncated)

    async def subtree(self, repository: Identity, sha: str) -> GitTree:
        """Its name is the folder's path; the root's is that of the tree."""
        self.asked["subtree"] += 1
        files = self._files(repository.name) or {}
        folder = "" if "/" not in sha else sha
        entries: dict[str, TreeEntry] = {}
        for path, body in files.items():
            if path.startswith(folder):
                name, _, rest = path.removeprefix(folder).partition("/")
                entries[name] = (
                    TreeEntry(name, f"{folder}{name}/", "040000", "tree")
                    if rest
                    else TreeEntry(name, named(body), size=len(body))
                )
        return GitTree(sha, tuple(entries.values()))

    async def blob(self, repository: Identity, sha: str) -> bytes:
        self.asked["blob"] += 1
        await asyncio.sleep(0)
        if repository.name in self.blob_failures:
            raise self.blob_failures[repository.name]
        return next(body for body in (self._files(repository.name) or {}).values() if named(body) == sha)

    async def blobs(self, repository: Identity, shas: Sequence[str]) -> Mapping[str, bytes]:
        self.asked["blobs"] += 1
        return {sha: await self.blob(repository, sha) for sha in shas}

    def _files(self, repository: str) -> Mapping[str, bytes] | None:
        files = self.files.get(repository, Failure(Trouble.MISSING, "HTTP 404 Not Found", status=404))
        if isinstance(files, Failure):
            raise files
        return files
