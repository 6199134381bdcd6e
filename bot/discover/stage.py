"""One tick: the fleet is listed, and repositories whose default branch moved are read again."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.discover.ports import DueRepository, FleetStore, Host, Reading
from bot.discover.reading import CONFIG_PATH, File, Memory, read_files, wanted
from bot.discover.repository_config import parse as parse_config
from bot.discover.selection import Selection, selected
from bot.discover.text import decode
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.repository import Tree, TreeEntry
from bot.domain.repository_config import RepositoryConfig
from bot.domain.resting import rest_after
from bot.domain.usage import Problem

_BATCH = 40
_AT_ONCE = 4
_MOST_FOLDERS = 200
_UNTIL_REREAD = timedelta(days=7)
"""A repository is read again after so long even without a push: a safeguard, not the way news come."""


@dataclass(frozen=True, slots=True)
class DiscoverOptions:
    selection: Selection = Selection()  # noqa: RUF009 - frozen
    every: timedelta = timedelta(hours=1)


@dataclass(slots=True)
class DiscoverTally:
    listed: int = 0
    read: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)


async def tick(
    store: FleetStore, host: Host, memory: Memory, options: DiscoverOptions, clock: Clock
) -> DiscoverTally:
    """Lists where that is due, then reads until no repository is; one that cannot be read stops no other."""
    tally = DiscoverTally()
    await _list(store, host, options, clock, tally)
    while due := await store.claim_repositories(clock.now(), _BATCH):
        pause: list[Failure] = []
        for start in range(0, len(due), _AT_ONCE):
            together = due[start : start + _AT_ONCE]
            await asyncio.gather(
                *(_read(repository, store, host, memory, options, clock, tally, pause) for repository in together)
            )
        if pause:
            break
    return tally


async def _list(
    store: FleetStore, host: Host, options: DiscoverOptions, clock: Clock, tally: DiscoverTally
) -> None:
    chore = await store.claim_listing(clock.now())
    if chore is None:
        return
    try:
        listing = selected(await host.repositories(options.selection.owners), options.selection)
    except Failure as failure:
        tally.problems.append(f"listing repositories: {failure}")
        await store.postpone_listing(chore, clock.now() + (failure.retry_after or rest_after(1)))
        return
    tally.listed = len(listing)
    await store.record_listing(chore, listing, clock.now(), clock.now() + options.every)


async def _read(
    repository: DueRepository,
    store: FleetStore,
    host: Host,
    memory: Memory,
    options: DiscoverOptions,
    clock: Clock,
    tally: DiscoverTally,
    pause: list[Failure],
) -> None:
    try:
        if pause:
            await store.postpone(repository, str(pause[0]), clock.now() + (pause[0].retry_after or rest_after(1)))
            return
        tree = await host.tree(repository.name, repository.default_branch)
        due = clock.now() + _UNTIL_REREAD
        if tree is not None and tree.sha == repository.tree:
            tally.unchanged += 1
            await store.keep_reading(repository, due)
            return
        reading = await _reading(repository, tree, store, host, memory, options, clock)
        await store.save_reading(repository, reading, clock.now(), due)
        tally.read += 1
        tally.problems += [
            f"{repository.name}/{problem.path}:{problem.line}: {problem.message}" for problem in reading.problems
        ]
    except Failure as failure:
        if failure.trouble is Trouble.THROTTLED:
            pause.append(failure)
        tally.problems.append(f"{repository.name}: {failure}")
        rest = failure.retry_after or rest_after(repository.attempts)
        await store.postpone(repository, str(failure), clock.now() + rest)
    except LeaseLost:
        return


async def _reading(
    repository: DueRepository,
    tree: Tree | None,
    store: FleetStore,
    host: Host,
    memory: Memory,
    options: DiscoverOptions,
    clock: Clock,
) -> Reading:
    if tree is None:
        return Reading(None)
    entries, problems = await _entries(repository.name, tree, host)
    chosen, too_large = wanted(entries)
    bodies = await _bodies(repository.name, chosen, store, host)
    files = [File(entry.path, entry.sha, bodies[entry.sha]) for entry in chosen]
    # Reading is plain computation; a thread keeps the event loop free for the other requests.
    found, workflows = await asyncio.to_thread(read_files, files, memory)
    config, config_problems = _config(files, clock)
    watched = [(usage, options.selection.watched_base(usage.reference)) for usage in found.usages]
    concerned = {usage.path for usage, base in watched if base is not None}
    concerned |= {file.path for file in files if b"dotnet" in file.data}
    return Reading(
        tree.sha,
        tuple((usage, base) for usage, base in watched if base is not None),
        workflows,
        config,
        (
            *problems,
            *too_large,
            *config_problems,
            *(problem for problem in found.problems if problem.path in concerned),
        ),
    )


async def _entries(repository: str, tree: Tree, host: Host) -> tuple[list[TreeEntry], list[Problem]]:
    """All entries, folder by folder where the host cut the listing short (over 100,000 entries or 7 MB)."""
    if not tree.truncated:
        return list(tree.entries), []
    found: list[TreeEntry] = []
    folders: list[tuple[str, str]] = [("", tree.sha)]
    asked = 0
    while folders and asked < _MOST_FOLDERS:
        prefix, sha = folders.pop(0)
        asked += 1
        for entry in (await host.subtree(repository, sha)).entries:
            placed = TreeEntry(f"{prefix}{entry.path}", entry.sha, entry.mode, entry.kind, entry.size)
            if entry.kind == "tree":
                folders.append((f"{placed.path}/", entry.sha))
            else:
                found.append(placed)
    if not folders:
        return found, []
    message = f"the repository has too many folders; {len(folders)} were not looked at"
    return found, [Problem(folders[0][0], 1, message)]


async def _bodies(
    repository: str, entries: Sequence[TreeEntry], store: FleetStore, host: Host
) -> Mapping[str, bytes]:
    """Contents by sha: what any repository has shown before is never fetched again."""
    known = dict(await store.known_blobs([entry.sha for entry in entries]))
    missing = sorted({entry.sha for entry in entries} - known.keys())
    fetched: dict[str, bytes] = {}
    for start in range(0, len(missing), _AT_ONCE):
        together = missing[start : start + _AT_ONCE]
        contents = await asyncio.gather(*(host.blob(repository, sha) for sha in together))
        fetched.update(zip(together, contents, strict=True))
    if fetched:
        await store.save_blobs(fetched)
    return known | fetched


def _config(files: Sequence[File], clock: Clock) -> tuple[RepositoryConfig, tuple[Problem, ...]]:
    text = next((decode(file.data) for file in files if file.path == CONFIG_PATH), None)
    if text is None:
        return RepositoryConfig(), ()
    return parse_config(text, clock.now())
