"""`scan` and `update` on a local checkout: the same discovery and rewriting as for the fleet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.clients import folder
from bot.clients.http import Http
from bot.clients.registry import Registry, host_rules
from bot.discover.choosing import chosen
from bot.discover.selection import Selection
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.followed_base import Unknown, is_patch_pinned, moved
from bot.domain.observation import Observation
from bot.domain.reference import Base, Reference
from bot.domain.repository import TreeEntry
from bot.domain.usage import Problem, Replacement, Usage
from bot.formats.finding import LARGEST_FILE
from bot.formats.repository import File, Memory, read_files
from bot.formats.rewrite.rewrite import rewrite
from bot.service.wiring import registry_access
from bot.settings import Settings
from bot.watch.registry.observe import read as read_image

Progress = Callable[[int, int], None]
"""Called with how many are done, and how many there are."""


class Freshness(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    FLOATING = "floating"
    """The tag itself always names the newest image; whether the last build took it, the text cannot say."""
    UNKNOWN = "unknown"
    UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True)
class Scanned:
    """`becomes` is the reference as it should be now, where that is known and differs."""

    usage: Usage
    base: Base | None
    freshness: Freshness
    becomes: Reference | None = None
    note: str = ""
    version: str | None = None
    """The version that the base now holds, as its image declares it."""


@dataclass(frozen=True, slots=True)
class Scan:
    files: int
    scanned: tuple[Scanned, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    path: str
    edits: int
    refused: tuple[Problem, ...]


async def scan(root: Path, settings: Settings, clock: Clock, *, offline: bool, progress: Progress) -> Scan:
    """All usages below `root`; with the registries asked once per distinct base unless `offline`."""
    choice = chosen(folder.entries(root), is_bounded=False)
    files = list(_files(root, choice.entries, progress))
    found, _ = read_files(files, Memory())
    selection = Selection(bases=tuple(settings.bases))
    pairs = [(usage, selection.followed(usage)[0]) for usage in found.usages]
    seen: Mapping[Base, Observation | Failure] = {}
    if not offline:
        seen = await _look({base for _, base in pairs if base is not None}, settings, clock, progress)
    return Scan(
        len(files), tuple(_judged(usage, base, seen) for usage, base in pairs), (*choice.problems, *found.problems)
    )


def update(root: Path, replacements: Sequence[Replacement], paths: Iterable[str] | None = None) -> list[Updated]:
    """Rewrites the files below `root` in place; what could not be done is in `refused`."""
    wanted = set(paths) if paths is not None else None
    results = []
    for entry in sorted(chosen(folder.entries(root), is_bounded=False).entries, key=lambda each: each.path):
        relative, path = entry.path, _place(root, entry.path)
        if wanted is not None and relative not in wanted:
            continue
        data = folder.read(path, LARGEST_FILE)
        result = rewrite(relative, data, replacements)
        if result.data != data:
            folder.write(path, result.data)
        if result.edits or result.refused:
            results.append(Updated(relative, result.edits, result.refused))
    return results


def replacements_for(found: Scan) -> list[Replacement]:
    """What brings the stale usages of a scan up to date; global.json along with the SDK image."""
    wanted = {item.usage.reference: item.becomes for item in found.scanned if item.becomes is not None}
    images = [item for item in found.scanned if item.base is not None and item.version is not None]
    for image in images:
        if not image.usage.reference.base.is_sdk:
            continue
        for item in found.scanned:
            pin = item.usage.sdk_pin
            pinned = image.becomes is not None and is_patch_pinned(image.usage.reference)
            if pin is not None and image.version and pin.must_move(image.version, image_is_pinned=pinned):
                wanted[item.usage.reference] = item.usage.reference.at(image.version, None)
    return [Replacement(old, new) for old, new in wanted.items() if new is not None]


def _place(root: Path, path: str) -> Path:
    return root if root.is_file() else root / path


def _files(root: Path, entries: Sequence[TreeEntry], progress: Progress) -> Iterable[File]:
    for number, entry in enumerate(entries, start=1):
        data = folder.read(_place(root, entry.path), LARGEST_FILE)
        progress(number, len(entries))
        yield File(entry.path, folder.content_name(data), data)


async def _look(
    bases: set[Base], settings: Settings, clock: Clock, progress: Progress
) -> Mapping[Base, Observation | Failure]:
    accesses = [registry_access(host, settings) for host in settings.registries]
    found: dict[Base, Observation | Failure] = {}
    async with Http(clock, host_rules(accesses)) as http:
        registry = Registry(http, accesses, clock)
        for number, base in enumerate(sorted(bases), start=1):
            try:
                head = await registry.head(base)
                reading = await read_image(registry, _NothingKept(), base, head.digest)
                found[base] = reading.observation(base, clock.now())
            except Failure as failure:
                found[base] = failure
            progress(number, len(bases))
    return found


class _NothingKept:
    """A scan starts with nothing and keeps nothing."""

    async def manifests(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        return {}


def _judged(usage: Usage, base: Base | None, seen: Mapping[Base, Observation | Failure]) -> Scanned:
    if base is None:
        return Scanned(usage, None, Freshness.UNWATCHED)
    now = seen.get(base)
    if now is None:
        return Scanned(usage, base, Freshness.UNKNOWN)
    if isinstance(now, Failure) or now.digest is None:
        return Scanned(usage, base, Freshness.UNKNOWN, note=str(now) if isinstance(now, Failure) else "")
    target = moved(usage.reference, now.digest, now.version)
    if isinstance(target, Unknown):
        return Scanned(usage, base, Freshness.UNKNOWN, note=target.reason)
    if target != usage.reference:
        return Scanned(usage, base, Freshness.STALE, target, version=now.version)
    if usage.is_pinned or target.tag != base.tag:
        return Scanned(usage, base, Freshness.FRESH, version=now.version)
    if usage.marker is not None:
        fresh = usage.marker == now.digest
        return Scanned(usage, base, Freshness.FRESH if fresh else Freshness.STALE, note="by its marker line")
    return Scanned(usage, base, Freshness.FLOATING, version=now.version)
