"""`scan` and `update` on a local checkout: the same discovery and rewriting as for the fleet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bot.clients.folders import checkout
from bot.discover.choosing import Choice, chosen, source_files
from bot.discover.selection import Selection
from bot.domain.bases.followed_base import Unknown, is_patch_pinned, reference_after_move
from bot.domain.bases.observation import Observation
from bot.domain.bases.unwatched import unwatched
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import TreeEntry
from bot.domain.repositories.usage import Replacement, SourceProblem, Usage
from bot.formats.finding import LARGEST_FILE
from bot.formats.repository import File, Memory, read_files, sources_of_app_hosts
from bot.formats.rewrite.rewrite import rewrite_files
from bot.service.commands.progress import Progress
from bot.settings.defaults import BASES, REGISTRY
from bot.views.repositories.scan import FolderScan, Freshness, ScannedUsage
from bot.watch.registry.observe import read as read_image

if TYPE_CHECKING:
    from bot.clients.registry import RegistryAccess
    from bot.settings import Settings

AT_ONCE = 16
"""Requests to registries under way at a time."""


@dataclass(frozen=True, slots=True)
class Updated:
    """A file with the number of its edits, and the places that could not be changed."""

    path: str
    edits: int
    refused: tuple[SourceProblem, ...]
    moved: tuple[SourceProblem, ...] = ()
    """What else the edits of a shared property move."""


async def scan(
    root: Path, settings: "Settings | None", clock: Clock, *, offline: bool, progress: Progress
) -> FolderScan:
    """Finds all usages below `root`, and asks the registries once for each distinct base unless `offline`.

    Without settings, Microsoft's own registry and bases are meant.
    """
    entries = list(checkout.entries(root))
    choice = chosen(entries, is_bounded=False)
    files = list(_files(root, choice.entries, progress))
    files += _files(root, _sources(entries, choice, [(file.path, file.data) for file in files]), progress)
    found, _ = read_files(files, Memory())
    selection = (
        Selection(bases=BASES)
        if settings is None
        else Selection(bases=tuple(settings.bases), mirrors=settings.mirror_rules)
    )
    pairs = [(usage, selection.followed(usage)[0]) for usage in found.usages]
    seen: Mapping[Base, Observation | Failure] = {}
    if not offline:
        by_base: defaultdict[Base, list[Usage]] = defaultdict(list)
        for usage, base in pairs:
            if base is not None:
                by_base[base].append(usage)
        pins_sdk = any(usage.sdk_pin is not None for usage in found.usages)
        seen = await _look(by_base, settings, clock, progress, pins_sdk)
    return FolderScan(
        len(files),
        tuple(_judged(usage, base, seen) for usage, base in pairs),
        (*choice.problems, *found.problems),
        found.open_references,
        unwatched(
            (usage.reference for usage, base in pairs if base is None and usage.sdk_pin is None),
            selection.bases,
            (REGISTRY,) if settings is None else settings.registries.keys(),
        ),
    )


def nearest(found: FolderScan, reference: Reference) -> Reference | None:
    """Finds the reference of a scan that is spelled most like `reference`, where any is alike at all."""
    by_text = {str(item.usage.reference): item.usage.reference for item in found.scanned}
    close = get_close_matches(str(reference), by_text, n=1, cutoff=0.4)
    return by_text[close[0]] if close else None


def update(root: Path, replacements: Sequence[Replacement], paths: Iterable[str] | None = None) -> list[Updated]:
    """Rewrites the files below `root` in place; what could not be done is in `refused`."""
    entries = list(checkout.entries(root))
    choice = chosen(entries, is_bounded=False)
    files = {entry.path: checkout.read(_place(root, entry.path), LARGEST_FILE) for entry in choice.entries}
    for entry in _sources(entries, choice, files.items()):
        files[entry.path] = checkout.read(_place(root, entry.path), LARGEST_FILE)
    files = dict(sorted(files.items()))
    wanted = files.keys() if paths is None else files.keys() & set(paths)
    results = []
    for path, result in rewrite_files(files, dict.fromkeys(wanted, replacements)).items():
        if result.data != files[path]:
            checkout.write(_place(root, path), result.data)
        if result.edits or result.refused:
            results.append(Updated(path, result.edits, result.refused, result.moved))
    return results


def replacements_for(found: FolderScan) -> list[Replacement]:
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


def _sources(
    entries: Iterable[TreeEntry], choice: Choice, files: Iterable[tuple[str, bytes]]
) -> tuple[TreeEntry, ...]:
    return source_files(entries, choice, partial(sources_of_app_hosts, files), is_bounded=False)


def _place(root: Path, path: str) -> Path:
    return root if root.is_file() else root / path


def _files(root: Path, entries: Sequence[TreeEntry], progress: Progress) -> Iterable[File]:
    for number, entry in enumerate(entries, start=1):
        data = checkout.read(_place(root, entry.path), LARGEST_FILE)
        progress(number, len(entries))
        yield File(entry.path, checkout.content_name(data), data)


async def _look(
    usages: Mapping[Base, Sequence[Usage]],
    settings: "Settings | None",
    clock: Clock,
    progress: Progress,
    pins_sdk: bool,
) -> Mapping[Base, Observation | Failure]:
    """Asks for every base with one HEAD, and reads an image only where its version decides something."""
    from bot.clients.http.client import Http
    from bot.clients.registry import Registry, host_rules

    accesses = _accesses(settings)
    done = count(1)
    async with Http(clock, host_rules(accesses)) as http:
        registry = Registry(http, accesses, clock)

        async def look(base: Base) -> Observation | Failure:
            try:
                head = await registry.head(base)
                if not _needs_version(base, head.digest, usages[base], pins_sdk):
                    return Observation(clock.now(), base, head.digest)
                reading = await read_image(registry, _NothingKept(), base, head.digest)
                return reading.observation(base, clock.now())
            except Failure as failure:
                return failure
            finally:
                progress(next(done), len(usages))

        bases = sorted(usages)
        return dict(zip(bases, await bounded_gather(AT_ONCE, bases, look), strict=True))


def _accesses(settings: "Settings | None") -> "Sequence[RegistryAccess]":
    from bot.clients.registry import RegistryAccess

    if settings is None:
        return [RegistryAccess(REGISTRY)]
    from bot.service.wiring.registries.accesses import accesses_of_caller

    return accesses_of_caller(settings)


def _needs_version(base: Base, digest: str, usages: Iterable[Usage], pins_sdk: bool) -> bool:
    """A patch tag names a version, global.json names the SDK's, and of a stale digest the new version is told."""
    if base.is_sdk and pins_sdk:
        return True
    return any(is_patch_pinned(usage.reference) or usage.reference.digest not in (None, digest) for usage in usages)


class _NothingKept:
    """A scan starts with nothing and keeps nothing."""

    async def manifests(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        return {}


def _judged(usage: Usage, base: Base | None, seen: Mapping[Base, Observation | Failure]) -> ScannedUsage:
    if base is None:
        return ScannedUsage(usage, None, Freshness.UNWATCHED)
    now = seen.get(base)
    if now is None:
        return ScannedUsage(usage, base, Freshness.UNKNOWN)
    if isinstance(now, Failure) or now.digest is None:
        return ScannedUsage(usage, base, Freshness.UNKNOWN, note=str(now) if isinstance(now, Failure) else "")
    target = reference_after_move(usage.reference, now.digest, now.version)
    if isinstance(target, Unknown):
        return ScannedUsage(usage, base, Freshness.UNKNOWN, note=target.reason)
    if target != usage.reference:
        return ScannedUsage(usage, base, Freshness.STALE, target, version=now.version)
    if usage.is_pinned or target.tag != base.tag:
        return ScannedUsage(usage, base, Freshness.FRESH, version=now.version)
    if usage.marker is not None:
        fresh = usage.marker == now.digest
        return ScannedUsage(usage, base, Freshness.FRESH if fresh else Freshness.STALE, note="by its marker line")
    return ScannedUsage(usage, base, Freshness.FLOATING, version=now.version)
