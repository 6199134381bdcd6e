"""The documents of one repository: from the cache where they are kept, else from its registry, all at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.bounded_gather import bounded_gather
from bot.domain.reference import Base

_AT_ONCE = 32


class DocumentsPort(Protocol):
    """What a registry keeps under a digest; every method raises `Failure`."""

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes: ...

    async def config(self, registry: str, repository: str, digest: str) -> bytes: ...


class ManifestCache(Protocol):
    """Manifests and configs read before, by digest: their content never changes."""

    async def manifests(self, digests: Collection[str]) -> Mapping[str, bytes]:
        """Reads the manifests that are kept, by their digests."""
        ...


class Documents:
    """Reads documents; `fetched` are those that were not kept before. Its methods raise `Failure`."""

    def __init__(self, registry: DocumentsPort, cache: ManifestCache, base: Base) -> None:
        self._registry = registry
        self._cache = cache
        self._base = base
        self.fetched: dict[str, bytes] = {}

    async def manifests(self, digests: Sequence[str]) -> Mapping[str, bytes]:
        return await self._read_all(digests, self._registry.manifest)

    async def configs(self, digests: Sequence[str]) -> Mapping[str, bytes]:
        return await self._read_all(digests, self._registry.config)

    async def _read_all(self, digests: Sequence[str], fetch: "_Fetch") -> Mapping[str, bytes]:
        cached_bodies = {**await self._cache.manifests(digests), **self.fetched}
        missing = [digest for digest in dict.fromkeys(digests) if digest not in cached_bodies]
        place = (self._base.registry, self._base.repository)
        bodies = await bounded_gather(_AT_ONCE, missing, lambda digest: fetch(*place, digest))
        self.fetched.update(zip(missing, bodies, strict=True))
        return {**cached_bodies, **{digest: self.fetched[digest] for digest in missing}}


class _Fetch(Protocol):
    async def __call__(self, registry: str, repository: str, digest: str, /) -> bytes: ...
