"""Pipelines whose templates are not in reach are read as the service puts them together.

Only one that rebuilds the repository, or is a step of that, is asked for, once for each state of its files and its
definition; of what is refused once a day.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from bot.domain.bases.change import Cause
from bot.domain.builder.definitions import definition_of
from bot.domain.builder.port import ExpandsPipelines
from bot.domain.clock import Clock
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
    templates begin that are not in reach; and what it has not, with why. Under the names `blobs` either is kept."""

    files: Mapping[str, File] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[SourceProblem, ...] = ()
    blobs: tuple[str, ...] = ()

    def in_place_of(self, files: Iterable[File]) -> list[File]:
        return [self.files.get(file.path, file) for file in files]

    def placed(self, images: Iterable[NamedImage]) -> tuple[NamedImage, ...]:
        """The images, each at a line that the file has in the repository."""
        return tuple(replace(each, line=self.lines.get(each.path, each.line)) for each in images)


@dataclass(frozen=True, slots=True)
class _Told:
    """The text of a pipeline under the name by which it is kept, or `why` there is none."""

    name: str
    data: bytes = b""
    why: str = ""


@dataclass(frozen=True, slots=True)
class PipelineExpander:
    """Asks for the pipelines by which a policy has repositories rebuilt. What is told is kept among the contents of
    files, under a name that changes with the pipeline's files that are in reach and with its definition."""

    store: DiscoverStore
    pipelines: ExpandsPipelines
    policy: Policy
    clock: Clock

    async def expanded(
        self, item: DueRepository, config: RepositoryConfig, places: Sequence[BaseInFile], files: Sequence[File]
    ) -> ExpandedFiles:
        """One request for each pipeline that may be meant, and one more where it is seen so for the first time.

        What is refused is a problem of its file. Raises `Failure` where nothing can be told at present.
        """
        named = _pipelines_of(item.name, config, places, self.policy)
        partly = await asyncio.to_thread(partly_read, {file.path: file.data for file in files}) if named else {}
        shas = {file.path: file.sha for file in files}
        expanded: dict[str, File] = {}
        problems: list[SourceProblem] = []
        blobs: list[str] = []
        for workflow in named if partly else ():
            lacking = next(iter(partly.values())).lacking
            try:
                shown = await self.pipelines.workflow(item.identity.for_builds(workflow), workflow)
            except Failure as failure:
                problems.append(_problem(lacking, _refused(workflow, failure)))
                continue
            if shown is None:
                problems.append(_problem(lacking, f"{workflow}: {_NOT_SHOWN}"))
            elif shown.path in partly and shown.path not in expanded:
                own_files = [(path, shas[path]) for path in partly[shown.path].paths]
                told = await self._text(item, workflow, _name_of(item, workflow, shown, own_files))
                blobs.append(told.name)
                if told.why:
                    problems.append(_problem(partly[shown.path].lacking, told.why))
                else:
                    expanded[shown.path] = File(shown.path, told.name, told.data)
        lines = {path: _line_in(path, partly[path]) for path in expanded}
        return ExpandedFiles(expanded, lines, tuple(problems), tuple(blobs))

    async def _text(self, item: DueRepository, workflow: str, name: str) -> _Told:
        """The pipeline with its templates put in, as it is kept, or else as the service tells it.

        What it refuses is asked for again on the next day.
        """
        unknown = hashlib.sha256(f"{name} {self.clock.now().date()}".encode()).hexdigest()[:40]
        kept = await self.store.known_blobs([name, unknown])
        if name in kept:
            return _Told(name, kept[name])
        if unknown in kept:
            return _Told(unknown, why=kept[unknown].decode())
        data, why = b"", ""
        try:
            text = await self.pipelines.expanded(item.identity.for_builds(workflow), workflow, item.default_branch)
        except Failure as failure:
            why = _refused(workflow, failure)
        else:
            data = text.encode(errors="replace")
            if (refused := refusal(data)) is not None:
                why = f"its text is {refused}"
        await self.store.save_blobs({unknown: why.encode(errors="replace")} if why else {name: data})
        return _Told(unknown, why=why) if why else _Told(name, data)


def _pipelines_of(
    repository: str, config: RepositoryConfig, places: Sequence[BaseInFile], policy: Policy
) -> list[str]:
    """The pipelines that rebuild the repository, and those of its own that are steps after that."""
    terms = [policy.terms(repository, base, Cause.AGE, None) for base in sorted({base for base, _ in places})]
    steps = chain.from_iterable(each.steps for each in terms)
    own = (each for each in steps if (each.repository or repository).lower() == repository.lower())
    workflows = (*guarantees(repository, config, places, policy), *(each.workflow or "" for each in own))
    return [each for each in dict.fromkeys(workflows) if definition_of(each)]


def _refused(workflow: str, failure: Failure) -> str:
    """Says why nothing is told of a pipeline; raises the failure where that may be otherwise in a moment."""
    if failure.trouble.is_passing or failure.status == _SIGNED_OUT:
        raise failure
    return "; ".join(filter(None, (f"{workflow}: {failure.what}", failure.advice)))


def _name_of(item: DueRepository, workflow: str, shown: WorkflowShown, files: Sequence[tuple[str, str]]) -> str:
    """What the text is kept under, of the form of git's names: no content of a file has it."""
    parts = ("pipeline", item.identity.node_id, item.default_branch, workflow, shown.revision, *files)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


def _line_in(path: str, partly: PartlyRead) -> int:
    return partly.lacking.line if partly.lacking.path == path else 1


def _problem(template: NamedTemplate, why: str) -> SourceProblem:
    told = f"the template {template.name[:100]!r} is not in reach, so what it pushes is unknown: {why}"
    return SourceProblem(template.path, template.line, told)
