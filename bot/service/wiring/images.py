"""Registries as the looks at images ask for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.clients.registry import Registry
from bot.domain.bases.image import Head
from bot.domain.images.image import SeenImage
from bot.domain.images.standing import Declaration
from bot.domain.reference import Base
from bot.verify.standing.declared import of_annotations, of_labels
from bot.watch.registry.observe import ManifestCache, Platform, read

SOURCE = "org.opencontainers.image.source"


@dataclass(frozen=True, slots=True)
class Images:
    """Reads images as bases are read: documents that are kept are not fetched again."""

    registry: Registry
    cache: ManifestCache

    async def head(self, base: Base) -> Head:
        return await self.registry.head(base)

    async def tags(self, registry: str, repository: str) -> Sequence[str]:
        return await self.registry.tags(registry, repository)

    async def read(self, place: Base, digest: str, expected: Collection[Base]) -> SeenImage:
        reading = await read(self.registry, self.cache, place, digest)
        platforms = reading.platforms
        return SeenImage(
            digest,
            reading.observation(place, datetime.min).platforms,
            max(filter(None, (_moment(each.config.created) for each in platforms)), default=None),
            {each.name: _declared(each) for each in platforms},
            next((source for each in platforms if (source := _source(each))), None),
            reading.fetched,
        )


def _declared(platform: Platform) -> tuple[Declaration, ...]:
    said = (of_annotations(platform.manifest.annotations), of_labels(platform.config.labels))
    return tuple(each for each in said if each is not None)


def _source(platform: Platform) -> str | None:
    """`owner/name` of the repository that an image names as its source; None where it is no address of one."""
    texts: Mapping[str, str] = {**platform.config.labels, **platform.manifest.annotations}
    address = urlsplit(texts.get(SOURCE, ""))
    parts = address.path.removesuffix(".git").strip("/").split("/")
    return "/".join(parts[:2]) if address.scheme == "https" and len(parts) == 2 and all(parts) else None


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
