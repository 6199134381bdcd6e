"""From the digest that a base moved to, to an observation: reads what is not known yet, and puts it together."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from bot.domain.bases.image import INDEXES, Config, Descriptor, Head, Index, Manifest, read_config, read_document
from bot.domain.bases.observation import DeclaredVersion, Observation, PlatformImage
from bot.domain.bounded_gather import bounded_gather
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.watch.registry.distribution import distribution

MOST_PLATFORMS = 32
VERSION_VARIABLES = ("DOTNET_SDK_VERSION", "ASPNET_VERSION", "DOTNET_VERSION")
"""Where an image declares its version: sdk images carry all three, aspnet the last two, runtime the last."""

_LONGEST_VERSION = 64
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){1,3}(?:[-+][0-9A-Za-z.+-]{1,48})?", re.ASCII)


class DocumentsPort(Protocol):
    """What a registry keeps under a digest; every method raises `Failure`."""

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes: ...

    async def config(self, registry: str, repository: str, digest: str) -> bytes: ...


class RegistryPort(DocumentsPort, Protocol):
    """What is asked of a registry; every method raises `Failure`."""

    async def head(self, base: Base) -> Head: ...

    async def tags(self, registry: str, repository: str) -> Sequence[str]: ...


class ManifestCache(Protocol):
    """Manifests and configs read before, by digest: their content never changes."""

    async def manifests(self, digests: Collection[str]) -> Mapping[str, bytes]:
        """Those of `digests` that are kept."""
        ...


@dataclass(frozen=True, slots=True)
class ObservedPlatform:
    """One image of an index with what it says of itself."""

    name: str
    digest: str
    manifest: Manifest
    config: Config


@dataclass(frozen=True, slots=True)
class DigestReading:
    """What a digest stands for. `fetched` are the documents that were not kept before."""

    digest: str
    platforms: tuple[ObservedPlatform, ...]
    fetched: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def observation(self, base: Base, at: datetime) -> Observation:
        return observation(base, self.digest, self.platforms, at)


async def read(registry: DocumentsPort, cache: ManifestCache, base: Base, digest: str) -> DigestReading:
    """Reads the index, then each platform's manifest and config: at most 1 + 2 × platforms requests.

    Raises `Failure` as the registry does, and MALFORMED where the documents do not fit together.
    """
    reader = _Reader(registry, cache, base)
    where = f"{base}@{digest[:19]}…"
    document = read_document((await reader.manifests([digest]))[digest], where)
    if isinstance(document, Manifest):
        config = read_config((await reader.configs([document.config.digest]))[document.config.digest], where)
        if config.platform is None:
            raise _no_image("names no platform", where)
        return DigestReading(digest, (ObservedPlatform(config.platform, digest, document, config),), reader.fetched)
    platforms = await _platforms(reader, document, where)
    return DigestReading(digest, platforms, reader.fetched)


async def _platforms(reader: "_Reader", index: Index, where: str) -> tuple[ObservedPlatform, ...]:
    entries = index.images() or _unnamed(index)
    if not entries:
        raise _no_image("lists no image with a platform", where)
    if len(entries) > MOST_PLATFORMS:
        what = f"lists {len(entries)} platforms; {MOST_PLATFORMS} are accepted"
        raise Failure(Trouble.MALFORMED, what, where=where, advice="nothing of it is used")
    bodies = await reader.manifests([entry.digest for entry in entries])
    manifests: list[Manifest] = []
    for entry in entries:
        document = read_document(bodies[entry.digest], where)
        if not isinstance(document, Manifest):
            raise Failure(Trouble.MALFORMED, f"lists an index as its image for {entry.platform}", where=where)
        manifests.append(document)
    configs = await reader.configs([manifest.config.digest for manifest in manifests])
    found: dict[str, ObservedPlatform] = {}
    for entry, manifest in zip(entries, manifests, strict=True):
        config = read_config(configs[manifest.config.digest], where)
        name = entry.platform or config.platform
        if name is not None:
            found.setdefault(name, ObservedPlatform(name, entry.digest, manifest, config))
    if not found:
        raise _no_image("lists no image with a platform", where)
    return tuple(found.values())


def _unnamed(index: Index) -> tuple[Descriptor, ...]:
    """OCI leaves an entry's platform optional; where none has one, the configs are asked."""
    return tuple(
        entry
        for entry in index.entries
        if entry.platform is None and not entry.is_attestation and entry.media_type not in INDEXES
    )


def observation(base: Base, digest: str, platforms: Sequence[ObservedPlatform], at: datetime) -> Observation:
    """`version` is what the first platform declares, `created` the youngest platform's."""
    images = tuple(_image(base, platform) for platform in platforms)
    version = next((found for platform in platforms if (found := declared_version(platform.config))), None)
    created = max((image.created for image in images if image.created), key=_instant, default=None)
    return Observation(at, base, digest, version, created, images)


def declared_version(config: Config) -> str | None:
    """The .NET version of an image, of an sdk image the SDK's; None where it declares none (runtime-deps)."""
    declared = (config.env.get(name, "") for name in VERSION_VARIABLES)
    return next((text for text in declared if len(text) <= _LONGEST_VERSION and _VERSION.fullmatch(text)), None)


def _instant(created: str) -> datetime:
    """Reads a moment to compare by: builders write their own zone. A day that no calendar has is the oldest."""
    try:
        return datetime.fromisoformat(created)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _no_image(what: str, where: str) -> Failure:
    return Failure(Trouble.MALFORMED, what, where=where, advice="watch a tag that stands for an image")


def _image(base: Base, platform: ObservedPlatform) -> PlatformImage:
    labels = {**platform.config.labels, **platform.manifest.annotations}
    system = distribution(base.tag, labels, platform.config.history)
    return PlatformImage(
        platform.name,
        platform.digest,
        platform.config.created,
        system,
        platform.manifest.layers,
        platform.config.diff_ids,
        platform.manifest.config.digest,
        _declared_versions(platform.config),
        platform.config.steps,
    )


def _declared_versions(config: Config) -> tuple[DeclaredVersion, ...]:
    """The versions of .NET that an image's variables declare, each with the step of its history that set it."""
    found = []
    for name in VERSION_VARIABLES:
        value = config.env.get(name, "")
        if value and len(value) <= _LONGEST_VERSION:
            sets = re.compile(rf"\bENV\b.*\b{name}[= ]")
            steps = [place for place, step in enumerate(config.history) if sets.search(step)]
            found.append(DeclaredVersion(name, value, steps[-1] if steps else None))
    return tuple(found)


class _Reader:
    """Documents of one repository: from the cache where they are kept, else from the registry, all at once."""

    def __init__(self, registry: DocumentsPort, cache: ManifestCache, base: Base) -> None:
        self._registry = registry
        self._cache = cache
        self._base = base
        self.fetched: dict[str, bytes] = {}

    async def manifests(self, digests: Sequence[str]) -> Mapping[str, bytes]:
        return await self._read(digests, self._registry.manifest)

    async def configs(self, digests: Sequence[str]) -> Mapping[str, bytes]:
        return await self._read(digests, self._registry.config)

    async def _read(self, digests: Sequence[str], fetch: "_Fetch") -> Mapping[str, bytes]:
        kept = dict(await self._cache.manifests(digests))
        missing = [digest for digest in dict.fromkeys(digests) if digest not in kept]
        place = (self._base.registry, self._base.repository)
        bodies = await bounded_gather(MOST_PLATFORMS, missing, lambda digest: fetch(*place, digest))
        self.fetched.update(zip(missing, bodies, strict=True))
        return {**kept, **{digest: self.fetched[digest] for digest in missing}}


class _Fetch(Protocol):
    async def __call__(self, registry: str, repository: str, digest: str, /) -> bytes: ...
