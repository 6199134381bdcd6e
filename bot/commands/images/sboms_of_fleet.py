"""What is inside every image of the fleet, as an SBOM of each: for auditors, from what the service has read."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.package import Inventory
from bot.fleet.verify.inventory.rows.inventory import InventoryStore
from bot.fleet.verify.inventory.rows.sboms import FleetImage, SbomStore
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.engine.writing import chunks

_LONGEST_PLATFORM = 40
_TOGETHER = 100
"""Images whose packages are read at a time."""

Document = Callable[[Inventory, str], dict[str, Any]]
"""Makes an SBOM of what is inside, and of the name of the image."""


@dataclass(frozen=True, slots=True)
class WrittenSboms:
    """The files that were written, and a line for each image that is not known, or not as a whole."""

    files: tuple[Path, ...]
    problems: tuple[str, ...]


async def write_sboms(settings: Settings, folder: Path, form: str, made: Document, clock: Clock) -> WrittenSboms:
    """Writes a file for each platform of each image that the fleet shows now; `form` is the end of their names.

    Nobody else is asked. Raises `Failure` where the folder cannot be written.
    """
    files: list[Path] = []
    problems: list[str] = []
    async with opened_stores(settings, clock) as stores:
        for part in chunks(await stores[SbomStore].all_shown(), _TOGETHER):
            inventories = await stores[InventoryStore].known_inventories(
                [fleet_image.inventory for fleet_image in part]
            )
            for fleet_image in part:
                name = f"{fleet_image.place.name}@{fleet_image.place.digest}"
                inventory = inventories.get(fleet_image.inventory)
                if not isinstance(inventory, Inventory):
                    why = "its layers are not read" if inventory is None else inventory.told
                    problems.append(f"{name} ({fleet_image.platform}): {why}")
                    continue
                problems += [f"{name} ({fleet_image.platform}): {problem}" for problem in inventory.problems]
                file = folder / f"{_file_name(fleet_image)}.{form}.json"
                await asyncio.to_thread(_write, file, made(inventory, name))
                files.append(file)
    return WrittenSboms(tuple(files), tuple(problems))


def _file_name(fleet_image: FleetImage) -> str:
    """Names the file of an image's SBOM, such as `ghcr.io_contoso_shop_sha256-0123456789ab_linux-amd64`.

    The platform is what an image says of itself, in any words and at any length.
    """
    digest = fleet_image.place.digest.replace(":", "-")[:19]
    platform = re.sub(r"[^\w.-]", "-", fleet_image.platform, flags=re.ASCII)[:_LONGEST_PLATFORM]
    return "_".join((fleet_image.place.name.replace("/", "_").replace(":", "-"), digest, platform))


def _write(file: Path, document: dict[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        fault = f"cannot be written: {error.strerror}"
        raise Failure(
            Trouble.DENIED, fault, where=str(file), advice="check folder, permissions and space"
        ) from error
