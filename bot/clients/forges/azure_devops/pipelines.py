"""Azure Pipelines as a builder: definitions are found, started, and their builds followed, many in one request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.clients.forges.azure_devops.builds import first_failure, run_of, waits_for_approval
from bot.clients.forges.azure_devops.names import Place, place_of, ref_of
from bot.clients.forges.azure_devops.transport import Query, Transport
from bot.domain.builder.runs import FailedJob, FollowedRuns, Run, RunState
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import SightLost
from bot.domain.repositories.builds import ACTIVE, DELETED, LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.repository import Identity, built_elsewhere

BUILDER = "azure-pipelines"
MOST_BUILDS = 100
"""Ids in one address, which is to stay short."""
MOST_LATEST = 10
"""Builds of each definition that one look shows."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A pipeline's number in its project of an organisation: `azure-pipelines: ORGANISATION/PROJECT/NUMBER`."""

    organization: str
    project: str
    number: int

    @property
    def workflow(self) -> str:
        """What rebuilds and rules call it."""
        return f"{BUILDER}: {self.organization}/{self.project}/{self.number}"


def definition_of(workflow: str) -> Definition:
    """Raises `Failure` (malformed) where a workflow is none of Azure Pipelines."""
    built = built_elsewhere(workflow)
    parts = [] if built is None or built.builder != BUILDER else built.place.split("/")
    if len(parts) != 3 or not parts[1].strip() or not parts[2].isdecimal():
        advice = f"write `{BUILDER}: organisation/project/number of the definition`"
        raise Failure(Trouble.MALFORMED, f"{workflow[:80]!r} is no pipeline", advice=advice)
    return Definition(parts[0], parts[1], int(parts[2]))


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The pipelines of several organisations, each asked by its own transport, by its name in lower case."""

    transports: Mapping[str, Transport]

    async def definitions_of(self, repository: str, project: Place) -> list[Definition]:
        """The YAML definitions of one project that build a repository of GitHub, called `owner/name`."""
        query = {"repositoryId": repository, "repositoryType": "GitHub", "includeAllProperties": "true"}
        rows = await self._at(project.organization).pages(f"{_in(project.project)}/_apis/build/definitions", query)
        numbers = [int(row["id"]) for row in rows if "yamlFilename" in (row.get("process") or {})]
        return [Definition(project.organization, project.project, number) for number in numbers]

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        """The id of the run, which is that of its build."""
        definition = definition_of(workflow)
        body = {
            "resources": {"repositories": {"self": {"refName": ref_of(ref)}}},
            "templateParameters": dict(inputs),
        }
        path = f"{_in(definition.project)}/_apis/pipelines/{definition.number}/runs"
        shown = await self._at(definition.organization).post(path, body)
        return int(shown["id"]) if isinstance(shown, dict) and isinstance(shown.get("id"), int) else None

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
        """One request for a hundred builds of a project, and one for each that is under way: it may wait for
        people."""
        states: dict[str, RunState] = {}
        unseen: dict[str, Failure] = {}
        for (organization, project), nodes in _by_project(runs).items():
            try:
                states |= await self._states(organization, project, nodes)
            except Failure as failure:
                if failure.trouble is not Trouble.DENIED:
                    raise
                unseen |= dict.fromkeys(nodes, failure)
        return FollowedRuns(states, unseen)

    async def first_failure(self, repository: Identity, run: int) -> FailedJob | None:
        transport, project = self._of(repository)
        return first_failure(await _timeline(transport, project, run))

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        """None where the definition is gone or hidden."""
        definition = definition_of(file)
        transport = self._at(definition.organization)
        try:
            row = await transport.get(f"{_in(definition.project)}/_apis/build/definitions/{definition.number}")
        except Failure as failure:
            if failure.trouble is Trouble.MISSING:
                return None
            raise
        place = Place(definition.organization, str(row["project"]["id"]), "definition", str(row["id"]))
        return WorkflowShown(str(place), _state_of(row))

    async def latest_runs(self, workflows: Sequence[str]) -> Mapping[str, LatestRuns]:
        """Two requests for all definitions of a project."""
        latest: dict[str, LatestRuns] = {}
        for (organization, project), nodes in _by_project(workflows).items():
            transport = self._at(organization)
            numbers = ",".join(node.id for node in nodes.values())
            shown = await transport.pages(f"{project}/_apis/build/definitions", {"definitionIds": numbers})
            states = {str(row["id"]): _state_of(row) for row in shown}
            runs = await self._past(
                *(transport, project),
                {
                    "definitions": numbers,
                    "maxBuildsPerDefinition": MOST_LATEST,
                    "queryOrder": "queueTimeDescending",
                },
            )
            for text, node in nodes.items():
                if node.id in states:
                    own = tuple(runs.get(node.id, ()))
                    latest[text] = LatestRuns(states[node.id], own, are_all=len(own) < MOST_LATEST)
        return latest

    async def past_runs(self, repository: Identity, workflow: str, branch: str) -> tuple[PastRun, ...]:
        definition = definition_of(workflow)
        transport, project = self._at(definition.organization), _in(definition.project)
        common: Query = {
            "definitions": definition.number,
            "branchName": ref_of(branch),
            "queryOrder": "queueTimeDescending",
            "$top": MOST_LATEST,
        }
        found: dict[int | None, PastRun] = {}
        for more in ({}, {"resultFilter": "succeeded"}, {"reasonFilter": "schedule"}):
            runs = await self._past(transport, project, {**common, **more})
            found |= {run.id: run for run in runs.get(str(definition.number), ())}
        return tuple(sorted(found.values(), key=lambda run: run.at, reverse=True))

    async def serving(self, repository: Identity) -> "Pipelines":
        return self

    def _at(self, organization: str) -> Transport:
        transport = self.transports.get(organization.lower())
        if transport is None:
            reason = f"the organisation {organization} is not set up any more"
            raise SightLost(reason, organization, "name it under azure_devops.organizations again")
        return transport

    def _of(self, repository: Identity) -> tuple[Transport, str]:
        """Who is asked about a build, and the project in which it is."""
        built = repository.built
        definition = definition_of("" if built is None else f"{built.builder}: {built.place}")
        return self._at(definition.organization), _in(definition.project)

    async def _runs(self, workflow: str, branch: str | None, since: datetime, more: Query) -> list[Run]:
        definition = definition_of(workflow)
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

    async def _states(self, organization: str, project: str, nodes: Mapping[str, Place]) -> Mapping[str, RunState]:
        transport, states, ids = self._at(organization), dict[str, RunState](), [each.id for each in nodes.values()]
        for start in range(0, len(ids), MOST_BUILDS):
            query = {"buildIds": ",".join(ids[start : start + MOST_BUILDS])}
            for row in await transport.pages(f"{project}/_apis/build/builds", query):
                run = run_of(row, organization)
                state = run.state
                if state.status == "in_progress" and waits_for_approval(
                    await _timeline(transport, project, run.id)
                ):
                    state = RunState("waiting", None, state.commit, state.number)
                states |= {text: state for text, place in nodes.items() if place.id == str(run.id)}
        return states

    async def _past(self, transport: Transport, project: str, query: Query) -> Mapping[str, list[PastRun]]:
        """Builds by the numbers of their definitions, in the order that they are shown in."""
        found: dict[str, list[PastRun]] = defaultdict(list)
        for row in (await transport.get(f"{project}/_apis/build/builds", query))["value"]:
            run = run_of(row, transport.organization)
            found[str(row["definition"]["id"])].append(
                PastRun(
                    run.created_at or datetime.min.replace(tzinfo=UTC) + timedelta(),
                    *(run.event, run.branch, run.conclusion, run.url, run.id, run.updated_at),
                )
            )
        return found


async def _timeline(transport: Transport, project: str, run: int) -> Iterable[Mapping[str, Any]]:
    """What a build has come through; nothing of one that has not begun."""
    shown = await transport.get(f"{project}/_apis/build/builds/{run}/timeline")
    return [] if shown is None else list(shown.get("records") or ())


def _by_project(texts: Iterable[str]) -> Mapping[tuple[str, str], dict[str, Place]]:
    found: dict[tuple[str, str], dict[str, Place]] = defaultdict(dict)
    for text in texts:
        place = place_of(text)
        found[place.organization, place.project][text] = place
    return found


def _state_of(row: Mapping[str, Any]) -> str:
    """A paused definition takes requests and starts none, so it is as little active as one that is disabled."""
    status = str(row.get("queueStatus") or "enabled")
    return {"enabled": ACTIVE, "disabled": "disabled", "paused": "paused"}.get(status, DELETED)


def _in(project: str) -> str:
    return quote(project, safe="")
