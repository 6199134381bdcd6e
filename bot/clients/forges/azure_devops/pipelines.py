"""Azure Pipelines as a builder: definitions are found, started, and their builds followed, many in one request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.clients.forges.azure_devops.answers import shaped
from bot.clients.forges.azure_devops.builds import (
    approvers_of,
    checkpoint_of,
    first_failure,
    past_run_of,
    run_of,
)
from bot.clients.forges.azure_devops.definitions import (
    built_as,
    check,
    is_built_by,
    path_of,
    pipeline_of,
    revision_of,
    settable_variables,
    state_of,
    trunk_of,
)
from bot.clients.forges.azure_devops.names import AzureNode, node_of, ref_of
from bot.clients.forges.azure_devops.rights import QUEUE
from bot.clients.forges.azure_devops.transport import OrganizationTransport, Query, transport_at
from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.definitions import Definition
from bot.domain.builder.runs import (
    CHECKS,
    Artifact,
    BuildRun,
    FailedJob,
    FollowedRuns,
    MergedCommit,
    Run,
    RunState,
)
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.builds import LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.repository import HANDED_OVER, Identity
from bot.domain.repositories.surroundings import EnvironmentProtection

MOST_BUILDS = 100
"""Ids in one address, which is to stay short."""
MOST_TOGETHER = 50
"""Definitions whose latest builds are asked for at once."""
MOST_LATEST = 20
"""Builds of each definition that one look shows."""
_CLOCKS_DIFFER_BY = timedelta(minutes=5)
"""Two services date a merge and the build that it starts."""
_PARAMETERS = frozenset({"correlation"})
"""What a pipeline's file is to declare; the rest it is handed where its variables of that name may be set."""
_NOT_VALID, _NOT_ALLOWED, _NOT_SHOWN = 400, 403, 404
"""As `PipelineValidationException` comes, and a lack of *Edit queue build configuration* (TF215106)."""
_LARGEST_TEXT = 4 * 1024 * 1024
"""Bytes of a preview, in which a line break takes two."""


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The pipelines of several organisations, each asked by its own transport, by its name in lower case."""

    transports: Mapping[str, OrganizationTransport]
    started_bare: set[str] = field(default_factory=set)
    """The pipelines that were found to take nothing that they are handed."""

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        """The id of the run, which is that of its build.

        A definition tells its variables, and nothing but a request whether its file declares the parameter, and
        whether the bot may set any: what is refused for that has started nothing, and is asked for bare. Not so
        where it is handed more than all workflows are offered: that decides what it does.
        """
        definition = pipeline_of(workflow)
        row = await self.shown(definition)
        check(row, repository, definition)
        is_offered = inputs.keys() <= set(HANDED_OVER)
        parameters = _PARAMETERS & inputs.keys() if is_offered else inputs.keys()
        bare: dict[str, Any] = {"resources": {"repositories": {"self": {"refName": ref_of(ref)}}}}
        if not inputs or (is_offered and workflow in self.started_bare):
            return await self._start(definition, bare)
        settable = settable_variables(row)
        handed = {
            "variables": {name: {"value": value} for name, value in inputs.items() if name in settable},
            "templateParameters": {name: inputs[name] for name in sorted(parameters - settable)},
        }
        try:
            return await self._start(definition, {**bare, **{key: each for key, each in handed.items() if each}})
        except Failure as failure:
            if not is_offered or failure.status not in (_NOT_VALID, _NOT_ALLOWED):
                raise
        number = await self._start(definition, bare)
        self.started_bare.add(workflow)
        return number

    async def dispatched_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        return await self._runs(workflow, branch, since, {"reasonFilter": "manual"})

    async def started_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        return await self._runs(workflow, branch, since, {})

    async def run(self, repository: Identity, run: int) -> Run:
        transport, project = self._of(repository)
        return run_of(await transport.get(f"{project}/_apis/build/builds/{run}"), transport.organization)

    async def follow_runs(self, runs: Sequence[str]) -> FollowedRuns:
        """One request for a hundred builds of a project, and one for each that has not ended: it may wait for
        people."""
        states: dict[str, RunState] = {}
        unseen: dict[str, Failure] = {}
        for (organization, project), nodes in _by_project(runs).items():
            try:
                states |= await self._states(organization, project, nodes)
            except Failure as failure:
                if failure.trouble.is_passing:
                    raise
                unseen |= dict.fromkeys(nodes, failure)
        return FollowedRuns(states, unseen)

    async def first_failure(self, repository: Identity, run: int) -> FailedJob | None:
        transport, project = self._of(repository)
        return first_failure(await _timeline(transport, project, run))

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        """None where the definition is gone or hidden, or builds another repository."""
        definition = pipeline_of(file)
        try:
            row = await self.shown(definition)
        except Failure as failure:
            if failure.trouble is Trouble.MISSING:
                return None
            raise
        with shaped("definition", definition.workflow):
            if not is_built_by(row, repository):
                return None
            node = AzureNode(definition.organization, str(row["project"]["id"]), "definition", str(row["id"]))
            inputs = tuple(sorted(settable_variables(row)))
            return WorkflowShown(str(node), state_of(row), path_of(row), inputs, revision_of(row))

    async def expanded(self, repository: Identity, workflow: str, branch: str) -> str:
        """The text of a pipeline with its templates put in, as a run on the branch would take it: one request,
        which starts nothing. What is refused names the right that is asked for."""
        definition = pipeline_of(workflow)
        path = f"{_in(definition.project)}/_apis/pipelines/{definition.number}/preview"
        body = {"previewRun": True, "resources": {"repositories": {"self": {"refName": ref_of(branch)}}}}
        try:
            shown = await self._at(definition.organization).post(path, body, max_bytes=_LARGEST_TEXT)
        except Failure as failure:
            if failure.status in (_NOT_ALLOWED, _NOT_SHOWN):
                failure.advice = f"allow {QUEUE.name}: {QUEUE.way_out.removeprefix('allow it: ')}"
            raise
        text = shown.get("finalYaml") if isinstance(shown, dict) else None
        if not isinstance(text, str):
            raise Failure(Trouble.MALFORMED, "the preview has another shape", where=workflow)
        return text

    async def latest_runs(self, workflows: Sequence[str]) -> Mapping[str, LatestRuns]:
        """Two requests for fifty definitions of a project, and one more for each further page of builds."""
        latest: dict[str, LatestRuns] = {}
        for (organization, project), nodes in _by_project(workflows).items():
            transport = self._at(organization)
            ids = [node.id for node in nodes.values()]
            found: dict[str, LatestRuns] = {}
            for start in range(0, len(ids), MOST_TOGETHER):
                found |= await _latest(transport, project, ",".join(ids[start : start + MOST_TOGETHER]))
            latest |= {text: found[node.id] for text, node in nodes.items() if node.id in found}
        return latest

    async def past_runs(self, repository: Identity, workflow: str, branch: str) -> tuple[PastRun, ...]:
        definition = pipeline_of(workflow)
        transport, project = self._at(definition.organization), _in(definition.project)
        common: Query = {
            "definitions": definition.number,
            "branchName": ref_of(branch),
            "queryOrder": "queueTimeDescending",
            "$top": MOST_LATEST,
        }
        found: dict[int | None, PastRun] = {}
        for more in ({}, {"resultFilter": "succeeded"}, {"reasonFilter": "schedule"}):
            rows = await transport.page(f"{project}/_apis/build/builds", {**common, **more})
            runs = [past_run_of(row, definition.organization) for row in rows]
            found |= {run.id: run for run in runs}
        return tuple(sorted(found.values(), key=lambda run: run.at, reverse=True))

    async def builds(
        self, commits: Sequence[MergedCommit], *, later: bool = False
    ) -> Mapping[str, Sequence[Sequence[BuildRun]] | Failure]:
        """One request for the definitions of a project, where builds are not to be asked for by commit, and one for
        each that has not ended."""
        found: dict[str, Sequence[Sequence[BuildRun]] | Failure] = {}
        asked: dict[tuple[str, str], list[tuple[Definition, MergedCommit]]] = defaultdict(list)
        for commit in commits:
            definition = pipeline_of(commit.workflow or "")
            asked[definition.organization, definition.project].append((definition, commit))
        for pairs in asked.values():
            try:
                rows = await self._rows_since(pairs)
                for definition, commit in pairs:
                    found[commit.node_id] = await self._groups(definition, commit, rows[definition.number], later)
            except Failure as failure:
                found |= {commit.node_id: failure for _, commit in pairs if commit.node_id not in found}
        return found

    async def artifacts(self, repository: Identity, run: int) -> list[Artifact]:
        """Azure tells neither size nor end nor digest of them: none is read."""
        raise Failure(
            Trouble.MISSING,
            "what Azure Pipelines publish is not read",
            where=repository.name,
            advice="attach reports to the image, or upload them",
        )

    async def artifact_address(self, repository: Identity, artifact: int) -> str:
        raise Failure(Trouble.MISSING, "what Azure Pipelines publish is not read", where=repository.name)

    async def environments(self, repository: Identity) -> Mapping[str, EnvironmentProtection]:
        raise Failure(Trouble.MISSING, "environments are the forge's", where=repository.name)

    async def action_commits(
        self, repository: Identity, actions: Sequence[ActionTag]
    ) -> Mapping[ActionTag, ActionCommit]:
        raise Failure(Trouble.MISSING, "actions are the forge's", where=repository.name)

    async def sees_others(self, repository: Identity) -> bool:
        """Whether any pipeline of the project is shown: what is not, is gone then."""
        transport, project = self._of(repository)
        return bool(await transport.page(f"{project}/_apis/build/definitions", {"$top": 1}))

    async def serving(self, repository: Identity) -> "Pipelines":
        return self

    def _at(self, organization: str) -> OrganizationTransport:
        return transport_at(self.transports, organization)

    def _of(self, repository: Identity) -> tuple[OrganizationTransport, str]:
        """Who is asked about a build, and the project in which it is."""
        built = repository.built
        definition = pipeline_of("" if built is None else f"{built.builder}: {built.place}")
        return self._at(definition.organization), _in(definition.project)

    async def projects(self, organization: str) -> list[str]:
        """The names of all projects of an organisation that the bot may see."""
        return [str(row.get("name")) for row in await self._at(organization).pages("_apis/projects")]

    async def definitions_of(self, repository: Identity, organization: str, project: str) -> list[Definition]:
        """The definitions of one project that build the repository."""
        kind, place = built_as(repository)
        query = {"repositoryId": place, "repositoryType": kind}
        rows = await self._at(organization).pages(f"{_in(project)}/_apis/build/definitions", query)
        with shaped("list of definitions", organization):
            return [Definition(organization, project, int(row["id"])) for row in rows]

    async def shown(self, definition: Definition) -> Mapping[str, Any]:
        transport = self._at(definition.organization)
        row = await transport.get(f"{_in(definition.project)}/_apis/build/definitions/{definition.number}")
        if not isinstance(row, dict):
            raise Failure(Trouble.MALFORMED, "the definition has another shape", where=definition.workflow)
        return row

    async def _start(self, definition: Definition, body: Mapping[str, Any]) -> int | None:
        path = f"{_in(definition.project)}/_apis/pipelines/{definition.number}/runs"
        shown = await self._at(definition.organization).post(path, body)
        return int(shown["id"]) if isinstance(shown, dict) and isinstance(shown.get("id"), int) else None

    async def _rows_since(
        self, pairs: Sequence[tuple[Definition, MergedCommit]]
    ) -> Mapping[int, list[Mapping[str, Any]]]:
        """The builds of several definitions of a project, since the first of the commits came, by their numbers."""
        numbers = sorted({definition.number for definition, _ in pairs})
        since = min(commit.at for _, commit in pairs) - _CLOCKS_DIFFER_BY
        transport, project = self._at(pairs[0][0].organization), _in(pairs[0][0].project)
        rows: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for start in range(0, len(numbers), MOST_BUILDS):
            query = {
                "definitions": ",".join(map(str, numbers[start : start + MOST_BUILDS])),
                "minTime": since.astimezone(UTC).isoformat(),
                "queryOrder": "queueTimeAscending",
            }
            for row in await transport.pages(f"{project}/_apis/build/builds", query):
                with shaped("list of builds", transport.organization):
                    rows[int(row["definition"]["id"])].append(row)
        return rows

    async def _groups(
        self, definition: Definition, merged: MergedCommit, rows: Sequence[Mapping[str, Any]], later: bool
    ) -> Sequence[Sequence[BuildRun]]:
        """The builds of the commit; then, where those are wanted, of each that was built on its branch since."""
        at, project = self._at(definition.organization), _in(definition.project)
        runs = [run_of(row, definition.organization) for row in rows]

        async def shown(run: Run) -> BuildRun:
            return _build_run(definition, await _as_it_waits(at, project, run))

        own = [run for run in runs if run.commit == merged.commit]
        groups: dict[str | None, list[BuildRun]] = {merged.commit: [await shown(run) for run in own]}
        if not later:
            return list(groups.values())
        trunks = {run.branch for run in own if run.event not in CHECKS} or {await self._trunk(definition)}
        for run in runs:
            is_later = run.created_at is not None and run.created_at > merged.at
            if is_later and run.branch in trunks and run.commit != merged.commit:
                groups.setdefault(run.commit, []).append(await shown(run))
        return list(groups.values())

    async def _trunk(self, definition: Definition) -> str | None:
        return trunk_of(await self.shown(definition))

    async def _runs(self, workflow: str, branch: str | None, since: datetime, more: Query) -> list[Run]:
        definition = pipeline_of(workflow)
        query = {
            "definitions": definition.number,
            "minTime": since.astimezone(UTC).isoformat(),
            "queryOrder": "queueTimeAscending",
            **({} if branch is None else {"branchName": ref_of(branch)}),
            **more,
        }
        transport = self._at(definition.organization)
        rows = await transport.pages(f"{_in(definition.project)}/_apis/build/builds", query)
        return [run_of(row, definition.organization) for row in rows]

    async def _states(
        self, organization: str, project: str, nodes: Mapping[str, AzureNode]
    ) -> Mapping[str, RunState]:
        transport, states, ids = self._at(organization), dict[str, RunState](), [each.id for each in nodes.values()]
        for start in range(0, len(ids), MOST_BUILDS):
            query = {"buildIds": ",".join(ids[start : start + MOST_BUILDS])}
            for row in await transport.pages(f"{project}/_apis/build/builds", query):
                run = await _as_it_waits(transport, project, run_of(row, organization))
                states |= {text: run.state for text, place in nodes.items() if place.id == str(run.id)}
        return states


def _build_run(definition: Definition, run: Run) -> BuildRun:
    return BuildRun(
        *(definition.workflow, run.event, run.status, run.conclusion, run.url),
        *(run.commit, run.number, run.id, run.waits_for),
    )


async def _latest(transport: OrganizationTransport, project: str, numbers: str) -> dict[str, LatestRuns]:
    """The latest builds of definitions, by their numbers."""
    shown = await transport.pages(f"{project}/_apis/build/definitions", {"definitionIds": numbers})
    query: Query = {
        "definitions": numbers,
        "maxBuildsPerDefinition": MOST_LATEST,
        "queryOrder": "queueTimeDescending",
    }
    runs: dict[str, list[PastRun]] = defaultdict(list)
    with shaped("list of builds", transport.organization):
        for row in await transport.pages(f"{project}/_apis/build/builds", query):
            runs[str(row["definition"]["id"])].append(past_run_of(row, transport.organization))
        return {
            (number := str(row["id"])): LatestRuns(
                *(state_of(row), tuple(runs[number])),
                are_all=len(runs[number]) < MOST_LATEST,
                revision=revision_of(row),
            )
            for row in shown
        }


async def _as_it_waits(transport: OrganizationTransport, project: str, run: Run) -> Run:
    """The run as one that waits, where it stands at a checkpoint, for what and for whom. One request where it has
    not ended, and one more where people are to approve: who they are may stay hidden."""
    checkpoint = None if run.has_concluded else checkpoint_of(await _timeline(transport, project, run.id))
    if checkpoint is None:
        return run
    approvers: list[str] = []
    if checkpoint.approvals:
        query = {"approvalIds": ",".join(checkpoint.approvals), "$expand": "steps"}
        with suppress(Failure):
            approvers = approvers_of(await transport.page(f"{project}/_apis/pipelines/approvals", query))
    return replace(run, status="waiting", waits_for=checkpoint.waits_for(approvers))


async def _timeline(transport: OrganizationTransport, project: str, run: int) -> Iterable[Mapping[str, Any]]:
    """What a build has come through; nothing of one that has not begun."""
    shown = await transport.get(f"{project}/_apis/build/builds/{run}/timeline")
    return [] if shown is None else list(shown.get("records") or ())


def _by_project(texts: Iterable[str]) -> Mapping[tuple[str, str], dict[str, AzureNode]]:
    found: dict[tuple[str, str], dict[str, AzureNode]] = defaultdict(dict)
    for text in texts:
        place = node_of(text)
        found[place.organization, place.project][text] = place
    return found


def _in(project: str) -> str:
    return quote(project, safe="")
