"""From the digest that a base moved to, to an observation: reads what is not known yet, and puts it together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from bot.domain.bases.image import Config, Head, Manifest, read_config, read_document
from bot.domain.bases.observation import DeclaredVersion, NotJudged, Observation, PlatformImage
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.registry.distribution import distribution
from bot.fleet.watch.registry.documents import Documents, DocumentsPort, ManifestCache
from bot.fleet.watch.registry.index import ObservedPlatform, read_index

VERSION_VARIABLES = ("DOTNET_SDK_VERSION", "ASPNET_VERSION", "DOTNET_VERSION")
"""Where an image declares its version: sdk images carry all three, aspnet the last two, runtime the last."""

_LONGEST_VERSION = 64
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){1,3}(?:[-+][0-9A-Za-z.+-]{1,48})?", re.ASCII)


class RegistryPort(DocumentsPort, Protocol):
    """What is asked of a registry; every method raises `Failure`."""

    async def head(self, base: Base) -> Head: ...

    async def tags(self, registry: str, repository: str) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class DigestReading:
    """What a digest stands for. `fetched` are the documents that were not kept before."""

    digest: str
    platforms: tuple[ObservedPlatform, ...]
    fetched: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    not_judged: tuple[NotJudged, ...] = ()

    def observation(self, base: Base, moment: datetime) -> Observation:
        return replace(observation(base, self.digest, self.platforms, moment), not_judged=self.not_judged)


async def read(registry: DocumentsPort, cache: ManifestCache, base: Base, digest: str) -> DigestReading:
    """Reads the index, then each image's manifest and config: at most 1 + 2 × images requests, and one for each
    index within.

    Raises `Failure` as the registry does, and MALFORMED where the documents do not fit together.
    """
    documents = Documents(registry, cache, base)
    source = f"{base}@{digest[:19]}…"
    document = read_document((await documents.manifests([digest]))[digest], source)
    if isinstance(document, Manifest):
        config = read_config((await documents.configs([document.config.digest]))[document.config.digest], source)
        if config.platform is None:
            advice = "watch a tag that stands for an image"
            raise Failure(Trouble.MALFORMED, "names no platform", where=source, advice=advice)
        return DigestReading(
            digest, (ObservedPlatform(config.platform, digest, document, config),), documents.fetched
        )
    index = await read_index(documents, document, source)
    return DigestReading(digest, index.platforms, documents.fetched, index.not_judged)


def observation(base: Base, digest: str, platforms: Sequence[ObservedPlatform], moment: datetime) -> Observation:
    """`version` is what the first platform declares, `created` the youngest platform's."""
    images = tuple(_image(base, platform) for platform in platforms)
    version = next((declared for platform in platforms if (declared := declared_version(platform.config))), None)
    created = max((image.created for image in images if image.created), key=_instant, default=None)
    return Observation(moment, base, digest, version, created, images)


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
    versions = []
    for name in VERSION_VARIABLES:
        value = config.env.get(name, "")
        if value and len(value) <= _LONGEST_VERSION:
            sets = re.compile(rf"\bENV\b.*\b{name}[= ]")
            steps = [place for place, step in enumerate(config.history) if sets.search(step)]
            versions.append(DeclaredVersion(name, value, steps[-1] if steps else None))
    return tuple(versions)
