"""From the digest that a base moved to, to an observation: reads what is not known yet, and puts it together.

Which operating system an image stands on is told as far as its name and its own words tell:
the first of these counts.

1. the tag, where it names a release (`10.0-noble-chiseled-extra`: `noble-chiseled`; `8.0-alpine3.22`);
2. `org.opencontainers.image.base.name` (OCI annotation), where the tag of that name does;
3. the labels of Ubuntu's images (`org.opencontainers.image.ref.name`, `.version`), which derived images inherit;
4. the first build step of Alpine's (`alpine-minirootfs-3.22.1`) and Debian's (`debian.sh … 'bookworm'`) images;
5. the tag, where it names a family alone (`8.0-alpine`).

A slim Debian image takes the same first step as a full one, so `-slim` is only known from a name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from bot.domain.bases.image import Config, Head, Manifest, read_config, read_document
from bot.domain.bases.observation import DeclaredVersion, NotJudged, Observation, PlatformImage
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base, InvalidReference, Reference
from bot.domain.tags.tag import Tag
from bot.fleet.watch.registry.documents import Documents, DocumentsPort, ManifestCache
from bot.fleet.watch.registry.index import ObservedPlatform, read_index

_FLAVOURS = ("slim", "chiseled", "distroless")
_UBUNTU = {"20.04": "focal", "22.04": "jammy", "24.04": "noble", "26.04": "resolute"}
_FAMILY_ALONE = re.compile(r"[a-z-]*(?:alpine|mariner|azurelinux|ubuntu|debian|nanoserver|servercore)")
_ALPINE = re.compile(r"\balpine-minirootfs-(\d{1,2}\.\d{1,2})\b")
_DEBIAN = re.compile(r"\bdebian\.sh\b.*?'([a-z]{3,16})'")


def distribution(tag: str, labels: Mapping[str, str], history: Iterable[str]) -> str | None:
    """`labels` are the image's labels and its manifest's annotations; `history` its build steps, oldest first."""
    flavours = _flavours(tag)
    release = _release_named(tag)
    if release is None:
        family = Tag.parse(tag).system
        release = _release_of_base(labels) or _ubuntu(labels) or _first_step(history) or family
    return None if release is None else "-".join((release, *(each for each in flavours if each not in release)))


def _flavours(tag: str) -> tuple[str, ...]:
    return tuple(flavour for flavour in _FLAVOURS if flavour in Tag.parse(tag).variant)


def _release_named(tag: str) -> str | None:
    system = Tag.parse(tag).system
    return None if system is None or _FAMILY_ALONE.fullmatch(system) else system


def _release_of_base(labels: Mapping[str, str]) -> str | None:
    try:
        tag = Reference.parse(labels.get("org.opencontainers.image.base.name", "")).tag or ""
    except InvalidReference:
        return None
    release = _release_named(tag)
    return None if release is None else "-".join((release, *_flavours(tag)))


def _ubuntu(labels: Mapping[str, str]) -> str | None:
    if labels.get("org.opencontainers.image.ref.name") != "ubuntu":
        return None
    release = labels.get("org.opencontainers.image.version", "")
    return _UBUNTU.get(release) or (f"ubuntu{release}" if re.fullmatch(r"\d\d\.\d\d", release) else None)


def _first_step(history: Iterable[str]) -> str | None:
    for step in history:
        if match := _ALPINE.search(step):
            return f"alpine{match[1]}"
        if match := _DEBIAN.search(step):
            return match[1]
    return None


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
