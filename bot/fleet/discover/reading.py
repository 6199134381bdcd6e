"""One repository is read: its tree, the files that are worth it, and what these tell of bases and images."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from bot.domain.builder.port import ExpandsPipelines
from bot.domain.clock import Clock
from bot.domain.forge.port import Forge
from bot.domain.images.claim_choice import claims_of
from bot.domain.images.claims import NamedImage
from bot.domain.reference import Base
from bot.domain.repositories.repository import GITHUB, GitTree, Identity, Reading, TreeEntry, reader_in_part
from bot.domain.repositories.repository_config import OwnedPaths, RepositoryConfig
from bot.domain.repositories.usage import Findings, Role, SourceProblem, Usage
from bot.files.formats import code_owners, repository_config
from bot.files.formats.memory import File, Memory
from bot.files.formats.practices import tells_of_practices
from bot.files.formats.repository import images_of, read_files, sources_of_app_hosts
from bot.files.formats.source.text import decode
from bot.files.formats.table import format_of, kind_of
from bot.fleet.discover.choosing import chosen, source_files
from bot.fleet.discover.contents import KeptContents, entries_of
from bot.fleet.discover.expanding import ExpandedFiles, PipelineExpander
from bot.fleet.discover.ports import DiscoverOptions, DiscoverStore, DueRepository

_MOST_DEPLOYED = 500
"""Places of one repository where images are run."""


class RepositoryReader:
    """Reads repositories one by one, as the options have it; contents that any of them has shown are kept."""

    def __init__(
        self,
        store: DiscoverStore,
        forge: Forge,
        memory: Memory,
        options: DiscoverOptions,
        clock: Clock,
        pipelines: ExpandsPipelines | None = None,
    ) -> None:
        self._forge = forge
        self._memory = memory
        self._options = options
        self._clock = clock
        self._expander = (
            PipelineExpander(store, pipelines, options.policy, clock) if pipelines is not None else None
        )
        self._contents = KeptContents(store, forge)
        self._reader = options.reader

    async def reading(self, item: DueRepository, tree: GitTree | None) -> Reading:
        """Reads what the files of a tree tell; nothing where the repository has no commits."""
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
        expanded = await self._expanded(item, files, findings)
        named_images, unread = await asyncio.to_thread(images_of, expanded.in_place_of(files), self._memory)
        reading = self._reading_of(item, tree.sha, files, findings, expanded.placed(named_images))
        if not reading.config.unread and _is_left_out(repository_config.PATH, entries, files):
            reading = replace(reading, config=RepositoryConfig.not_read(f"{repository_config.PATH} is not read"))
        return replace(
            reading,
            workflows=workflows,
            problems=(*problems, *choice.problems, *expanded.problems, *unread, *reading.problems),
            blobs=(*reading.blobs, *expanded.blobs),
            reader=reader_in_part(self._reader, self._clock.now()) if expanded.problems else self._reader,
        )

    async def _expanded(self, item: DueRepository, files: Sequence[File], findings: Findings) -> ExpandedFiles:
        """What pipelines hold whose templates are not in reach, of a repository that stands on watched bases."""
        if self._expander is None:
            return ExpandedFiles()
        followed = [(self._options.selection.followed(usage)[0], usage.path) for usage in findings.usages]
        places = [(base, path) for base, path in followed if base is not None]
        return await self._expander.expanded(item, self._config(files)[0], places, files)

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
