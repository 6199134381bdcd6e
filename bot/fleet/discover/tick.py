"""One tick: the fleet is listed, and repositories whose default branch moved are read again."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version

from bot.domain.backoff import rest_of
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import Silence
from bot.domain.forge.port import Forge
from bot.domain.host import Host
from bot.domain.images.claim_choice import claims_of
from bot.domain.images.claims import ImageRules, NamedImage
from bot.domain.reference import Base
from bot.domain.repositories.repository import (
    GITHUB,
    GitTree,
    Identity,
    Reading,
    Repository,
    TreeEntry,
    owner_of,
    tells_pushes,
    title_of,
)
from bot.domain.repositories.repository_config import MANY_UNREAD, OwnedPaths, RepositoryConfig
from bot.domain.repositories.usage import Findings, Role, SourceProblem, Usage
from bot.files.formats import code_owners, repository_config
from bot.files.formats.practices import tells_of_practices
from bot.files.formats.repository import File, Memory, images_of, read_files, sources_of_app_hosts
from bot.files.formats.source.text import decode
from bot.files.formats.table import format_of, kind_of
from bot.fleet.discover.choosing import chosen, source_files
from bot.fleet.discover.contents import KeptContents, entries_of
from bot.fleet.discover.listing import understood
from bot.fleet.discover.ports import DiscoverStore, DueListing, DueRepository, KnownFleet
from bot.fleet.discover.selection import Selection
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work

_MOST_DEPLOYED = 500
"""Places of one repository where images are run."""
_MOST_LEFT_OUT = 10
"""Lines of one listing about names of another form."""
_UNTIL_REREAD = timedelta(days=7)
"""A repository is read again after so long even without a push: a safeguard, not the way news come."""
_UNTIL_SWEPT = timedelta(hours=12)
"""The same where the list does not tell of pushes, and this is the way: one request for what is as it was."""


@dataclass(frozen=True, slots=True)
class DiscoverOptions:
    """Which repositories and bases are looked for, and how often a forge is asked for its repositories."""

    selection: Selection = Selection()  # noqa: RUF009 - frozen
    every: timedelta = timedelta(hours=1)
    host: Host = Host()  # noqa: RUF009 - frozen
    images: ImageRules = ImageRules()  # noqa: RUF009 - frozen
    selections: Mapping[str, Selection] = field(default_factory=dict)
    """Of repositories of forges other than GitHub, by the forge."""

    def of(self, forge: str) -> Selection:
        """Which of its repositories are looked for: all of one that the settings do not name."""
        return self.selection if forge == GITHUB else self.selections.get(forge, Selection())

    @property
    def reader(self) -> str:
        """Changes with all that a reading depends on besides the tree: what reads it, the bases to watch, their
        mirrors, and what the operator says of images."""
        mirrors = (f"{rule.place} {rule.upstream}" for rule in self.selection.mirrors.rules)
        chosen = (*self.selection.bases, *self.selection.registries, *mirrors)
        text = "\n".join((version("freshness-bot"), *chosen, str(self.images)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(slots=True)
class DiscoverTally:
    """How many repositories were listed, read, or found as they were, and what hindered others."""

    listed: int = 0
    read: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)


async def tick(
    store: DiscoverStore,
    forge: Forge,
    memory: Memory,
    options: DiscoverOptions,
    loop: Loop,
    forges: Mapping[str, Forge] | None = None,
) -> DiscoverTally:
    """Lists where that is due, then reads until no repository is; one that cannot be read stops no other.

    Each of the `forges` is listed by itself: without them `forge` is GitHub. The trees of all are read by `forge`.
    """
    tally = DiscoverTally()
    listed_forges = forges or {GITHUB: forge}
    await store.expect_listing(listed_forges)
    listings = await loop.run(_Listings(store, listed_forges, options, loop, tally))
    readings = _Readings(store, forge, memory, options, loop, tally)
    outcome = await loop.run(readings)
    await store.tell_unread(_unread_in_one_pass(readings.newly_unread))
    tally.problems += listings.problems + outcome.problems
    return tally


def _unread_in_one_pass(repositories: Sequence[str]) -> str | None:
    """What is to be told once, where a change that reaches many made their own words unreadable."""
    if len(repositories) <= MANY_UNREAD:
        return None
    examples = ", ".join(sorted(repositories)[:3])
    return (
        f"{repository_config.PATH} of {len(repositories)} repositories cannot be understood any more ({examples} "
        "and others), so nothing new is written to them; look for what has changed all these files, and correct "
        "them"
    )


@dataclass(frozen=True, slots=True)
class _ForgeListing:
    """What a forge lists, what was known of it before, of whom it cannot tell anything, with why, and what the bot
    may do where."""

    repositories: Sequence[Repository]
    fleet: KnownFleet
    silent: Mapping[str, Silence]
    grants: Mapping[str, Mapping[str, str]] | None


def _not_set_up(forge: str, fleet: KnownFleet) -> _ForgeListing:
    """What can be told of a forge that the settings do not name: all that is known of it is doubted for a day, as
    other processes may have other settings."""
    silence = Silence(f"the settings do not name {title_of(forge)} any more")
    return _ForgeListing((), fleet, dict.fromkeys(map(owner_of, fleet.names), silence), None)


class _Listings(Work[DueListing, "_ForgeListing"]):
    """The task of listing the fleet, one for each forge: only the whole list of one closes what is known of it."""

    stage = "discover"
    batch = 1

    def __init__(
        self,
        store: DiscoverStore,
        forges: Mapping[str, Forge],
        options: DiscoverOptions,
        loop: Loop,
        tally: DiscoverTally,
    ) -> None:
        self._store = store
        self._forges = forges
        self._options = options
        self._clock = loop.clock
        self._tally = tally
        self.home = None if options.host.others else options.host.name

    @property
    def queue(self) -> Queue[DueListing]:
        return self._store.listings(self._forges)

    def host(self, item: DueListing) -> str:
        return self._options.host.at(item.forge)

    async def attempt(self, item: DueListing, lease: Lease) -> "_ForgeListing":
        forge = self._forges.get(item.forge)
        if forge is None:
            return _not_set_up(item.forge, await self._store.known_fleet(item.forge))
        repositories = await forge.repositories(self._options.of(item.forge).owners)
        fleet = await self._store.known_fleet(item.forge)
        silent = await forge.silent(set(map(owner_of, fleet.names)))
        return _ForgeListing(repositories, fleet, silent, await forge.grants())

    async def settle(self, item: DueListing, result: "_ForgeListing") -> None:
        now = self._clock.now()
        selection = self._options.of(item.forge)
        listing = understood(result.repositories, result.fleet, selection, now, result.silent, item.forge)
        listing = replace(listing, grants=result.grants)
        self._tally.listed += len(listing.repositories)
        self._tally.problems += [text for text in (listing.trouble, listing.nothing_taken) if text]
        self._tally.problems += listing.left_out[:_MOST_LEFT_OUT]
        due = now + self._options.every
        await self._store.record_listing(item, listing, due, reader=self._options.reader)

    async def failed(self, item: DueListing, claimed: Claimed, failure: Failure, now: datetime) -> str:
        is_told = not failure.trouble.is_passing or claimed.attempts > 1
        due_at = now + rest_of(failure, claimed.attempts)
        await self._store.postpone_listing(item, due_at, trouble=str(failure) if is_told else None)
        where = "" if item.forge == GITHUB else f" at {title_of(item.forge)}"
        return f"listing repositories{where}: {failure}"


class _Readings(Work[DueRepository, "Reading | None"]):
    """Repositories whose default branch may have moved; the result is None where it is where it was."""

    stage = "discover"
    batch = 40
    rests_by_backoff = True

    def __init__(
        self,
        store: DiscoverStore,
        forge: Forge,
        memory: Memory,
        options: DiscoverOptions,
        loop: Loop,
        tally: DiscoverTally,
    ) -> None:
        self._store = store
        self._forge = forge
        self._memory = memory
        self._options = options
        self._clock = loop.clock
        self._contents = KeptContents(store, forge)
        self._reader = options.reader
        self._tally = tally
        self._host = options.host
        self.home = options.host.whole
        self.newly_unread: list[str] = []

    @property
    def queue(self) -> Queue[DueRepository]:
        return self._store.repositories

    def host(self, item: DueRepository) -> str:
        return self._host.of(item.identity)

    async def attempt(self, item: DueRepository, lease: Lease) -> Reading | None:
        known = item.tree if item.reader == self._reader else None
        tree = await self._forge.tree(item.identity, item.default_branch, known)
        if tree is not None and tree.sha == known:
            return None
        return await self._reading(item, tree)

    async def settle(self, item: DueRepository, result: Reading | None) -> None:
        due = self._clock.now() + (_UNTIL_REREAD if tells_pushes(item.forge) else _UNTIL_SWEPT)
        if result is None:
            await self._store.keep_reading(item, due)
            self._tally.unchanged += 1
            return
        await self._store.save_reading(item, result, due)
        self._tally.read += 1
        if result.config.unread and not item.is_unread:
            self.newly_unread.append(item.name)
        self._tally.problems += [
            f"{item.name}/{problem.path}:{problem.line}: {problem.message}" for problem in result.problems
        ]

    async def failed(self, item: DueRepository, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """What is gone or denied may come back with the next listing; asking sooner would change nothing."""
        rest = rest_of(failure, claimed.attempts)
        if failure.trouble in (Trouble.MISSING, Trouble.DENIED):
            rest = max(rest, self._options.every)
        await self.queue.put_off([claimed], now + rest, error=str(failure))
        return f"{item.name}: {failure}" if item.error != str(failure) else None

    async def _reading(self, item: DueRepository, tree: GitTree | None) -> Reading:
        if tree is None:
            return Reading(None, reader=self._reader)
        repository = item.identity
        entries, problems = await entries_of(repository, tree, self._forge)
        choice = chosen(entries)
        files = await self._files(repository, choice.entries)
        texts = [(file.path, file.data) for file in files]
        more = await asyncio.to_thread(source_files, entries, choice, partial(sources_of_app_hosts, texts))
        files += await self._files(repository, more)
        # Reading is plain computation; a thread keeps the event loop free for the other requests.
        findings, workflows = await asyncio.to_thread(read_files, files, self._memory)
        workflows = workflows if item.forge == GITHUB else ()  # files that nothing runs there
        named_images, unread = await asyncio.to_thread(images_of, files, self._memory)
        reading = self._reading_of(item, tree.sha, files, findings, named_images)
        if not reading.config.unread and _is_left_out(repository_config.PATH, entries, files):
            reading = replace(reading, config=RepositoryConfig.not_read(f"{repository_config.PATH} is not read"))
        return replace(
            reading, workflows=workflows, problems=(*problems, *choice.problems, *unread, *reading.problems)
        )

    def _reading_of(
        self,
        item: DueRepository,
        tree: str,
        files: Sequence[File],
        findings: Findings,
        named_images: Sequence[NamedImage],
    ) -> Reading:
        """What the files tell of bases and images, as far as it concerns the fleet."""
        selection = self._options.selection
        config, config_problems = self._config(files)
        naming = {path for usage in findings.usages for path in usage.paths}
        images, refused = claims_of(
            item.name, item.default_branch, self._options.images, config.produces, named_images, naming
        )
        followed_bases = [(usage, selection.followed(usage)) for usage in findings.usages]
        usages_followed = tuple((usage, base) for usage, (base, is_kept) in followed_bases if is_kept)
        without_base = [usage for usage, (base, _) in followed_bases if base is None]
        concerned_paths = {usage.path for usage, _ in usages_followed} | self._find_concerned(files, findings)
        refusals = (SourceProblem(repository_config.PATH, 1, each) for each in refused)
        others = (problem for problem in findings.problems if problem.path in concerned_paths)
        return Reading(
            tree,
            usages=usages_followed,
            config=replace(
                config, owned=_find_owned(files, (path for usage, _ in usages_followed for path in usage.paths))
            ),
            problems=(*config_problems, *refusals, *others),
            reader=self._reader,
            blobs=tuple(file.sha for file in files),
            images=images,
            deployed=tuple(usage for usage in without_base if _is_deployed(usage))[:_MOST_DEPLOYED],
            perhaps_own=frozenset(
                usage.reference.base.name for usage in without_base if selection.may_be_own(usage)
            ),
            audited={file.path: file.sha for file in files if tells_of_practices(file.path)},
            upstreams=self._upstreams(base for _, base in usages_followed if base is not None),
        )

    def _upstreams(self, bases_followed: Iterable[Base]) -> dict[Base, Base]:
        """Those of the bases that are copies, each with what it is a copy of."""
        mirrors = self._options.selection.mirrors
        pairs = ((base, mirrors.upstream_of(base)) for base in set(bases_followed))
        return {base: upstream for base, upstream in pairs if upstream is not None}

    async def _files(self, repository: Identity, entries: Sequence[TreeEntry]) -> list[File]:
        bodies = await self._contents.of(repository, (entry.sha for entry in entries))
        return [File(entry.path, entry.sha, bodies[entry.sha]) for entry in entries]

    def _find_concerned(self, files: Iterable[File], findings: Findings) -> set[str]:
        """Files that may be about a watched base though none was found: problems of others are not our business."""
        marks = self._options.selection.marks
        problem_paths = {problem.path for problem in findings.problems}
        return {
            file.path
            for file in files
            if file.path in problem_paths
            and (_is_about_images(file.path) or b"\0" in file.data or any(mark in file.data for mark in marks))
        }

    def _config(self, files: Sequence[File]) -> tuple[RepositoryConfig, tuple[SourceProblem, ...]]:
        text = next((decode(file.data) for file in files if file.path == repository_config.PATH), None)
        if text is None:
            return RepositoryConfig(), ()
        return repository_config.parse(text, self._clock.now())


def _is_left_out(path: str, entries: Iterable[TreeEntry], files: Sequence[File]) -> bool:
    """Whether a tree has something there that is not among the files that were read."""
    return any(entry.path == path for entry in entries) and all(file.path != path for file in files)


def _find_owned(files: Iterable[File], paths: Iterable[str]) -> tuple[OwnedPaths, ...]:
    texts = {file.path: decode(file.data) for file in files if file.path in code_owners.PATHS}
    return code_owners.owned_in(texts, paths)


def _is_deployed(usage: Usage) -> bool:
    """A place where an image is run that names a registry or an owner: Docker Hub's own images are nobody's."""
    return usage.role is Role.IMAGE and "/" in usage.reference.name


def _is_about_images(path: str) -> bool:
    """A project has problems only where it builds an image, and its base need not be named."""
    kind = kind_of(path)
    return kind is not None and format_of(kind).tells_without_names
