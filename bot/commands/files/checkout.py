"""`scan` and `update` on a local checkout: the same discovery and rewriting as for the fleet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.clients.folders import checkout
from bot.commands.files.looking import looked_up
from bot.commands.progress import Progress
from bot.domain.bases.dotnet import unwatched
from bot.domain.bases.followed_base import is_patch_pinned
from bot.domain.bases.support import support_of
from bot.domain.clock import Clock
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import TreeEntry
from bot.domain.repositories.usage import Replacement, SourceProblem
from bot.files.formats.finding import LARGEST_FILE
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files, sources_of_app_hosts
from bot.files.formats.rewrite.rewrite import rewrite_files
from bot.fleet.discover.choosing import Choice, chosen, source_files
from bot.fleet.discover.selection import Selection
from bot.settings.defaults import BASES, REGISTRY
from bot.views.repositories.scan import FolderScan, Freshness, ScannedUsage

if TYPE_CHECKING:
    from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Updated:
    """A file with the number of its edits, and the places that could not be changed."""

    path: str
    edits: int
    refused: tuple[SourceProblem, ...]
    moved: tuple[SourceProblem, ...] = ()
    """What else the edits of a shared property move."""


async def scan(
    root: Path,
    settings: "Settings | None",
    clock: Clock,
    *,
    offline: bool,
    progress: Progress,
    compares: bool = False,
    why: bool = False,
) -> FolderScan:
    """Finds all usages below `root`, and asks the registries once for each distinct base unless `offline`.

    Without settings, Microsoft's own registry and bases are meant. What is to be rewritten `compares`: a digest
    that holds a newer version than its base shows is left then. With `why`, feeds tell what stale pins lack.
    """
    entries = list(checkout.entries(root))
    choice = chosen(entries, is_bounded=False)
    files = list(_files(root, choice.entries, progress))
    files += _files(root, _sources(entries, choice, [(file.path, file.data) for file in files]), progress)
    files_read, _ = read_files(files, Memory())
    selection = (
        Selection(bases=BASES)
        if settings is None
        else Selection(bases=tuple(settings.bases), mirrors=settings.mirror_rules)
    )
    pairs = [(usage, selection.followed(usage)[0]) for usage in files_read.usages]
    today = clock.now().date()
    scanned: Sequence[ScannedUsage] = [
        ScannedUsage(usage, base, _without_a_look(base), support=support_of(usage.reference, today))
        for usage, base in pairs
    ]
    unread: tuple[str, ...] = ()
    if not offline:
        scanned, unread = await looked_up(scanned, settings, clock, progress, compares=compares, why=why)
    return FolderScan(
        len(files),
        tuple(scanned),
        (*choice.problems, *files_read.problems),
        files_read.open_references,
        unwatched(
            (usage.reference for usage, base in pairs if base is None and usage.sdk_pin is None),
            selection.bases,
            (REGISTRY,) if settings is None else settings.registries.keys(),
        ),
        unread,
    )


def nearest(folder_scan: FolderScan, reference: Reference) -> Reference | None:
    """Finds the reference of a scan that is spelled most like `reference`, where any is alike at all."""
    by_text = {str(item.usage.reference): item.usage.reference for item in folder_scan.scanned}
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
    paths_to_rewrite = files.keys() if paths is None else files.keys() & set(paths)
    results = []
    for path, result in rewrite_files(files, dict.fromkeys(paths_to_rewrite, replacements)).items():
        if result.data != files[path]:
            checkout.write(_place(root, path), result.data)
        if result.edits or result.refused:
            results.append(Updated(path, result.edits, result.refused, result.moved))
    return results


def replacements_for(folder_scan: FolderScan) -> list[Replacement]:
    """What brings the stale usages of a scan up to date; global.json along with the SDK image."""
    new_references = {
        item.usage.reference: item.becomes for item in folder_scan.scanned if item.becomes is not None
    }
    images = [item for item in folder_scan.scanned if item.base is not None and item.version is not None]
    for image in images:
        if not image.usage.reference.base.is_sdk:
            continue
        for item in folder_scan.scanned:
            pin = item.usage.sdk_pin
            pinned = image.becomes is not None and is_patch_pinned(image.usage.reference)
            if pin is not None and image.version and pin.must_move(image.version, image_is_pinned=pinned):
                new_references[item.usage.reference] = item.usage.reference.with_tag(image.version, None)
    return [Replacement(old, new) for old, new in new_references.items() if new is not None]


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


def _without_a_look(base: Base | None) -> Freshness:
    return Freshness.UNWATCHED if base is None else Freshness.UNKNOWN
