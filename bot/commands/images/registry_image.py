"""Packages of an image in its registry, from its layers as they are sent; nothing is stored."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.clients.http.client import Http
from bot.clients.registry import Registry
from bot.domain.bases.image import Index, Manifest, read_document
from bot.domain.clock import Clock, SystemClock
from bot.domain.packages.package import Inventory
from bot.domain.reference import Reference
from bot.fleet.wiring.grants import http_rules
from bot.fleet.wiring.registries.accesses import accesses_of_caller
from bot.images.packages.image import read_image
from bot.settings import Settings, load


@dataclass(frozen=True, slots=True)
class RegistryBlobs:
    """The content of one repository of a registry."""

    client: Registry
    registry: str
    repository: str

    async def document(self, digest: str) -> bytes:
        return await self.client.manifest(self.registry, self.repository, digest)

    def blob(self, digest: str) -> AsyncGenerator[bytes, None]:
        return self.client.blob(self.registry, self.repository, digest)


@dataclass(frozen=True, slots=True)
class OpenedImage:
    """The document that an image begins with, its digest, and where the rest of it is."""

    digest: str
    start: Index | Manifest
    blobs: RegistryBlobs


@asynccontextmanager
async def opened_registries(settings: Settings, clock: Clock) -> AsyncIterator[Registry]:
    """Gives the client of registries with the access of whoever calls, for as long as a command takes."""
    accesses = accesses_of_caller(settings)
    async with Http(clock, http_rules(settings, accesses)) as http:
        yield Registry(http, accesses, clock)


async def open_image(registry: Registry, image: Reference) -> OpenedImage:
    """Reads how an image begins: of its digest, or else of what its tag shows. Raises `Failure`."""
    blobs = RegistryBlobs(registry, image.registry, image.repository)
    digest = image.digest or (await registry.head(image.base)).digest
    return OpenedImage(digest, read_document(await blobs.document(digest), str(image)), blobs)


def read_registry_image(image: Reference, platform: str | None, config: Path | None) -> Inventory:
    """What is inside, with the access in the settings file; without one only Microsoft's registry is asked.

    Raises `Failure`, and `BadSettings` for settings that cannot be used.
    """
    settings = load(config) if config is not None else Settings()
    return asyncio.run(_read(image, platform, settings, SystemClock()))


async def _read(image: Reference, platform: str | None, settings: Settings, clock: Clock) -> Inventory:
    async with opened_registries(settings, clock) as registry:
        opened = await open_image(registry, image)
        return await read_image(opened.start, opened.blobs, platform=platform)
