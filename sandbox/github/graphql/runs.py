"""Workflow runs, their check suites, and what they make of a commit."""

from dataclasses import dataclass
from typing import Any

from sandbox.github.access.asked import timestamp
from sandbox.github.graphql.playing import Playing, Thing, connection, loads, plain, plays
from sandbox.github.graphql.repositories import repository_numbered
from sandbox.github.repositories.identity import Node

Json = Any


async def _run(playing: Playing, node: Node, kind: str) -> Thing | None:
    repository = await repository_numbered(playing, node.repository_id or 0)
    run = playing.parts.actions.runs.get(int(node.key))
    if repository is None or run is None:
        return None
    playing.parts.actions.look(run)
    return Thing(kind, run, repository.data)


@loads("WorkflowRun")
async def load_run(playing: Playing, node: Node) -> Thing | None:
    return await _run(playing, node, "WorkflowRun")


@loads("Workflow")
async def load_workflow(playing: Playing, node: Node) -> Thing | None:
    repository = await repository_numbered(playing, node.repository_id or 0)
    if repository is None:
        return None
    found = await playing.parts.actions.workflows(repository.name)
    workflow = next((each for each in found if str(each.id) == node.key), None)
    return None if workflow is None else Thing("Workflow", workflow, repository.data)


@loads("CheckSuite")
async def load_suite(playing: Playing, node: Node) -> Thing | None:
    return await _run(playing, node, "CheckSuite")


plays("WorkflowRun", "id")(lambda _, thing: thing.data.node_id)
plays("WorkflowRun", "event")(lambda _, thing: thing.data.event)
plays("WorkflowRun", "runNumber")(lambda _, thing: thing.data.number)
plays("WorkflowRun", "checkSuite")(lambda _, thing: Thing("CheckSuite", thing.data, thing.repository))
plays("WorkflowRun", "file")(lambda _, thing: Thing("WorkflowRunFile", thing.data, thing.repository))
plays("WorkflowRunFile", "path")(lambda _, thing: thing.data.workflow.path)
plays("WorkflowRun", "workflow")(lambda _, thing: Thing("Workflow", thing.data.workflow, thing.repository))
plays("CheckSuite", "id")(lambda _, thing: thing.data.suite_node_id)
plays("CheckSuite", "status")(lambda _, thing: thing.data.status.upper())
plays("CheckSuite", "conclusion")(lambda _, thing: thing.data.conclusion and thing.data.conclusion.upper())
plays("CheckSuite", "commit")(lambda _, thing: Thing("Commit", {"oid": thing.data.sha}, thing.repository))
plays("CheckSuite", "workflowRun")(
    lambda _, thing: thing.data.workflow and Thing("WorkflowRun", thing.data, thing.repository)
)
plays("CheckSuite", "repository")(lambda _, thing: Thing("Repository", thing.repository))
for _kind in ("WorkflowRun", "CheckSuite"):
    plays(_kind, "createdAt")(lambda _, thing: timestamp(thing.data.created_at))
    plays(_kind, "updatedAt")(lambda _, thing: timestamp(thing.data.updated_at))
    plays(_kind, "databaseId")(lambda _, thing: thing.data.id if thing.data.id < 2**31 else None)


@plays("WorkflowRun", "url")
@plays("CheckSuite", "url")
def url(playing: Playing, thing: Thing) -> str:
    return f"{playing.parts.edge.site}/{thing.name}/actions/runs/{thing.data.id}"


@plays("CheckSuite", "branch")
async def branch(playing: Playing, thing: Thing) -> Thing | None:
    """Null once the branch is gone."""
    name = f"refs/heads/{thing.data.branch}"
    oid = await playing.parts.git.ref(thing.name, name)
    return None if oid is None else Thing("Ref", {"ref": name, "oid": oid}, thing.repository)


@plays("WorkflowRun", "pendingDeploymentRequests")
def pending(playing: Playing, thing: Thing, **page: Any) -> Json:
    names = sorted(playing.parts.actions.pending(thing.data))
    requests = [{"environment": Thing("Environment", {"name": name}, thing.repository)} for name in names]
    return connection([{**request, "currentUserCanApprove": False} for request in requests], **page)


plain("Environment", name="name")
plays("Workflow", "id")(lambda _, thing: thing.data.node_id)
plays("Workflow", "resourcePath")(
    lambda _, thing: f"/{thing.name}/actions/workflows/{thing.data.path.rpartition('/')[2]}"
)
plays("Workflow", "name")(lambda _, thing: thing.data.name)
plays("Workflow", "state")(lambda playing, thing: playing.parts.actions.state_of(thing.data).upper())


@plays("Workflow", "runs")
def workflow_runs(playing: Playing, thing: Thing, **page: Any) -> Json:
    """Newest first."""
    page.pop("order_by", None)
    found = playing.parts.actions.runs_of(thing.data)
    return connection([Thing("WorkflowRun", run, thing.repository) for run in found], **page)


# --- what checks make of a commit ---


def rollup_of(playing: Playing, repository: Json, oid: str) -> Thing | None:
    """Null for a commit without any check."""
    state = playing.parts.requests.requirements.rollup(repository["id"], oid)
    return None if state is None else Thing("StatusCheckRollup", {"state": state, "oid": oid}, repository)


plain("StatusCheckRollup", state="state")
plays("Commit", "statusCheckRollup")(lambda playing, thing: rollup_of(playing, thing.repository, thing.data["oid"]))


@dataclass(frozen=True, slots=True)
class OtherSuite:
    """A check suite of another App, which is no run of Actions."""

    status: str = "completed"
    conclusion: str = "success"
    branch: str = ""
    workflow: None = None


@plays("Commit", "checkSuites")
def suites(playing: Playing, thing: Thing, **page: Any) -> Json:
    bounds = {side: page[side] for side in ("first", "after", "last", "before") if side in page}
    runs = playing.parts.actions.of(thing.repository["id"], thing.data["oid"])
    suites = [Thing("CheckSuite", run, thing.repository) for run in runs]
    others = [Thing("CheckSuite", OtherSuite(), thing.repository)] * playing.parts.actions.other_suites
    return connection([*others, *suites], **bounds)
