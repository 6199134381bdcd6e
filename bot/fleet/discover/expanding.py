"""Pipelines whose templates are not in reach are read as the service puts them together.

Only one that rebuilds the repository is asked for, once for each state of its files and its definition.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.builder.definitions import definition_of
from bot.domain.builder.port import ExpandsPipelines
from bot.domain.failure import Failure
from bot.domain.images.claims import NamedImage
from bot.domain.repositories.builds import WorkflowShown
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.timing.age import BaseInFile, guarantees
from bot.files.formats.builds import NamedTemplate
from bot.files.formats.finding import refusal
from bot.files.formats.memory import File
from bot.files.formats.partly_read import PartlyRead, partly_read
from bot.fleet.discover.ports import DiscoverStore, DueRepository

_NOT_SHOWN = "it is not shown, or builds another repository; allow View build pipeline, or name the one that does"
_SIGNED_OUT = 401
"""The credentials are not taken at present, which tells nothing of the pipeline."""


@dataclass(frozen=True, slots=True)
class ExpandedFiles:
    """What the service has put together, by the paths of the pipelines' own files, with the lines there at which
    templates begin that are not in reach; and what it has not, with why."""

    files: Mapping[str, File] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[SourceProblem, ...] = ()

    @property
    def blobs(self) -> tuple[str, ...]:
        return tuple(file.sha for file in self.files.values())

    def in_place_of(self, files: Iterable[File]) -> list[File]:
        return [self.files.get(file.path, file) for file in files]

    def placed(self, images: Iterable[NamedImage]) -> tuple[NamedImage, ...]:
        """The images, each at a line that the file has in the repository."""
        return tuple(replace(each, line=self.lines.get(each.path, each.line)) for each in images)


@dataclass(frozen=True, slots=True)
class PipelineExpander:
    """Asks for the pipelines by which a policy has repositories rebuilt. What is told is kept among the contents of
    files, under a name that changes with the pipeline's files that are in reach and with its definition."""

    store: DiscoverStore
    pipelines: ExpandsPipelines
    policy: Policy

    async def expanded(
        self, item: DueRepository, config: RepositoryConfig, places: Sequence[BaseInFile], files: Sequence[File]
    ) -> ExpandedFiles:
        """One request for each pipeline that may be meant, and one more where it is seen so for the first time.

        What is refused is a problem of its file. Raises `Failure` where nothing can be told at present.
        """
        named = [each for each in guarantees(item.name, config, places, self.policy) if definition_of(each)]
        partly = await asyncio.to_thread(partly_read, {file.path: file.data for file in files}) if named else {}
        shas = {file.path: file.sha for file in files}
        expanded: dict[str, File] = {}
        problems: list[SourceProblem] = []
        for workflow in named if partly else ():
            lacking = next(iter(partly.values())).lacking
            try:
                shown = await self.pipelines.workflow(item.identity.for_builds(workflow), workflow)
                if shown is None:
                    problems.append(_problem(lacking, f"{workflow}: {_NOT_SHOWN}"))
                    continue
                if shown.path not in partly or shown.path in expanded:
                    continue
                lacking = partly[shown.path].lacking
                name = _name_of(item, workflow, shown, [(path, shas[path]) for path in partly[shown.path].paths])
                data = await self._text(item, workflow, name)
            except Failure as failure:
                if failure.trouble.is_passing or failure.status == _SIGNED_OUT:
                    raise
                why = "; ".join(filter(None, (f"{workflow}: {failure.what}", failure.advice)))
                problems.append(_problem(lacking, why))
                continue
            if (refused := refusal(data)) is not None:
                problems.append(_problem(lacking, f"its text is {refused}"))
            else:
                expanded[shown.path] = File(shown.path, name, data)
        return ExpandedFiles(expanded, {path: _line_in(path, partly[path]) for path in expanded}, tuple(problems))

    async def _text(self, item: DueRepository, workflow: str, name: str) -> bytes:
        """The pipeline with its templates put in, as it is kept, or else as the service tells it."""
        kept = await self.store.known_blobs([name])
        if name in kept:
            return kept[name]
        home = item.identity.for_builds(workflow)
        data = (await self.pipelines.expanded(home, workflow, item.default_branch)).encode(errors="replace")
        if refusal(data) is None:
            await self.store.save_blobs({name: data})
        return data


def _name_of(item: DueRepository, workflow: str, shown: WorkflowShown, files: Sequence[tuple[str, str]]) -> str:
    """What the text is kept under, of the form of git's names: no content of a file has it."""
    parts = ("pipeline", item.identity.node_id, item.default_branch, workflow, shown.revision, *files)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


def _line_in(path: str, partly: PartlyRead) -> int:
    return partly.lacking.line if partly.lacking.path == path else 1


def _problem(template: NamedTemplate, why: str) -> SourceProblem:
    told = f"the template {template.name[:100]!r} is not in reach, so what it pushes is unknown: {why}"
    return SourceProblem(template.path, template.line, told)
