"""GitHub Actions: workflows as the default branch has them, and runs that a test or a demo moves on.

The emulator knows of no workflow files. Nothing is executed here: a run ends when `finish` is called, or by itself
after it was looked at `complete_after` times.
"""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import yaml
from starlette.requests import Request

from sandbox.github.actions.runs import Attempt, RedJob, Run, Workflow, simple_commit
from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused
from sandbox.github.repositories.identity import Node

Json = Any
FOLDER = ".github/workflows"
ACTIVE = "active"
FIRST_RUN = 30_000_000_001
"""GitHub's numbers of runs have long outgrown 32 bits."""
NOT_ALLOWED = "Event '{}' is not allowed to trigger Actions workflows"
SKIP = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")


@dataclass(slots=True)
class Actions:
    edge: GitHubEdge
    complete_after: int | None = None
    """How many looks at a run end it with success; None leaves runs to `finish`."""
    on_finished: Callable[[Run], None] | None = None
    """Called when a run ends: the place where a demo pushes the image that the workflow would have built."""
    on_pushed: list[Callable[[str, str, str], Awaitable[None]]] = field(default_factory=list)
    """Called with repository, branch and commit once something was pushed: where other services begin to build."""
    runs: dict[int, Run] = field(default_factory=dict)
    failures: dict[int, RedJob] = field(default_factory=dict)
    """Run → the job that has failed in it."""
    disallowed: set[str] = field(default_factory=set)
    """Events that execution protections let start nothing: their runs fail at once."""
    other_suites: int = 0
    """How many check suites of other Apps each commit has, before those of its runs."""
    environments: dict[str, set[str]] = field(default_factory=dict)
    """Repository → its environments that somebody must approve."""
    states: dict[tuple[str, str], str] = field(default_factory=dict)
    """Repository and path → the state of a workflow that is not active."""
    _workflow_ids: dict[tuple[str, str], int] = field(default_factory=dict)
    _next_run: int = FIRST_RUN

    def __post_init__(self) -> None:
        self.edge.on_renamed.append(self._renamed)

    # --- moving runs on ---

    def begin(self, run_id: int) -> None:
        """It waits instead where it has an environment that nobody approved yet."""
        run = self.runs[run_id]
        self._move(run, "waiting" if self.pending(run) else "in_progress", None)

    def approve(self, run_id: int) -> None:
        """Somebody lets the run into the environments that it waits for."""
        run = self.runs[run_id]
        run.approved |= self.pending(run)
        self.begin(run_id)

    def finish(self, run_id: int, conclusion: str = "success") -> None:
        """Ends the run with GitHub's word for it: success, failure, cancelled, timed_out, …"""
        self._move(self.runs[run_id], "completed", conclusion)

    def again(self, run: Run) -> None:
        """Runs it once more under the same number. Raises `Refused`."""
        if run.status != "completed":
            raise Refused(403, "This workflow run is already running")
        run.earlier.append(Attempt(run.status, run.conclusion, run.updated_at))
        run.status, run.conclusion, run.updated_at = "queued", None, self.edge.surroundings.clock.now()

    def forget(self, repository: str) -> None:
        """Drops the runs of `repository`."""
        self.runs = {number: run for number, run in self.runs.items() if run.workflow.repository != repository}

    def look(self, run: Run) -> None:
        """Counts a look at a run, which may end it."""
        run.seen += 1
        if self.complete_after is None or run.status == "completed":
            return
        if run.seen > self.complete_after and not self.pending(run):
            self.finish(run.id)
        elif run.seen > 1:
            self.begin(run.id)

    def pending(self, run: Run) -> set[str]:
        """The environments that the run still waits to be let into."""
        guarded = self.environments.get(run.workflow.repository, set())
        return set(run.workflow.environments & guarded) - run.approved

    def _move(self, run: Run, status: str, conclusion: str | None) -> None:
        if run.status == "completed":
            return
        run.status, run.conclusion, run.updated_at = status, conclusion, self.edge.surroundings.clock.now()
        if status == "completed" and self.on_finished is not None:
            self.on_finished(run)

    # --- starting them ---

    async def event(self, request: Request | None, repository: str, name: str, branch: str, sha: str) -> None:
        """Starts the workflows of `repository` that run on what `request` just did to this branch."""
        commit = (await self.edge.call("GET", f"/repos/{repository}/git/commits/{sha}")).body
        if name == "push" and any(word in commit["message"] for word in SKIP):
            return
        for call in self.on_pushed if name == "push" else ():
            await call(repository, branch, sha)
        for workflow in await self.workflows(repository):
            settings = workflow.triggers.get(name, False)
            if settings is False or self.state_of(workflow) != ACTIVE:
                continue
            branches = (settings or {}).get("branches") if name == "push" else None
            if branches is None or branch in branches:
                await self.start(workflow, name, branch, sha, await self.edge.caller(request), {})

    async def dispatch(self, request: Request, workflow: Workflow, ref: str, inputs: dict[str, Json]) -> Run:
        """Raises `Refused`."""
        if self.state_of(workflow) != ACTIVE:
            raise Refused(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
        if "workflow_dispatch" not in workflow.triggers:
            raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
        _check_inputs(workflow.triggers["workflow_dispatch"] or {}, inputs)
        branch = ref.removeprefix("refs/heads/")
        head = await self.edge.call("GET", f"/repos/{workflow.repository}/git/ref/heads/{quote(branch)}")
        if head.status != 200:
            raise Refused(422, f"No ref found for: {ref}")
        actor = await self.edge.caller(request)
        return await self.start(workflow, "workflow_dispatch", branch, head.body["object"]["sha"], actor, inputs)

    async def start(
        self, workflow: Workflow, event: str, branch: str, sha: str, actor: Json, inputs: dict[str, Json]
    ) -> Run:
        number = 1 + sum(run.workflow.id == workflow.id for run in self.runs.values())
        repository = (await self.edge.call("GET", f"/repos/{workflow.repository}")).body
        commit = (await self.edge.call("GET", f"/repos/{workflow.repository}/git/commits/{sha}")).body
        now = self.edge.surroundings.clock.now()
        run = Run(
            self._next_run,
            number, workflow, event, branch, sha, now, now, inputs, actor, repository["id"], simple_commit(commit),
        )  # fmt: skip
        self.runs[run.id] = run
        self._next_run += 1
        for kind, node_id in (("WorkflowRun", run.node_id), ("CheckSuite", run.suite_node_id)):
            self.edge.identities.add(node_id, Node(kind, run.repository_id, str(run.id)))
        if event in self.disallowed:
            self.failures[run.id] = RedJob("build", "Set up job", (("failure", NOT_ALLOWED.format(event)),))
            self.finish(run.id, "failure")
        return run

    async def happened(self, workflow: Workflow, event: str, at: datetime, conclusion: str) -> Run:
        """A run of the default branch that is over, as history: a `schedule` of last week."""
        shown = (await self.edge.call("GET", f"/repos/{workflow.repository}")).body
        branch = shown["default_branch"]
        head = await self.edge.call("GET", f"/repos/{workflow.repository}/git/ref/heads/{quote(branch)}")
        run = await self.start(
            workflow, event, branch, head.body["object"]["sha"], await self.edge.caller(None), {}
        )
        run.status, run.conclusion, run.created_at, run.updated_at = "completed", conclusion, at, at
        return run

    # --- workflows ---

    async def workflows(self, repository: str) -> list[Workflow]:
        listing = await self.edge.call("GET", f"/repos/{repository}/contents/{FOLDER}")
        files = listing.body if listing.status == 200 and isinstance(listing.body, list) else []
        return [
            await self._read(repository, entry["path"])
            for entry in files
            if entry["type"] == "file" and entry["path"].endswith((".yml", ".yaml"))
        ]

    def runs_of(self, workflow: Workflow) -> list[Run]:
        """Newest first."""
        mine = [run for run in self.runs.values() if run.workflow.id == workflow.id]
        return sorted(mine, key=lambda run: (run.created_at, run.id), reverse=True)

    def state_of(self, workflow: Workflow) -> str:
        return self.states.get((workflow.repository, workflow.path), ACTIVE)

    async def _read(self, repository: str, path: str) -> Workflow:
        content = (await self.edge.call("GET", f"/repos/{repository}/contents/{quote(path)}")).body["content"]
        try:
            document = yaml.safe_load(base64.b64decode(content))
        except yaml.YAMLError:
            document = None
        document = document if isinstance(document, dict) else {}
        identity = self._workflow_ids.setdefault((repository, path), 20_000_001 + len(self._workflow_ids))
        number = self.edge.identities.number_of(repository)
        # YAML 1.1 reads the bare key `on` as true
        triggers = _triggers(document.get("on", document.get(True)))
        name = str(document.get("name", path))
        workflow = Workflow(identity, repository, path, name, triggers, _environments(document.get("jobs")))
        self.edge.identities.add(workflow.node_id, Node("Workflow", number, str(identity)))
        return workflow

    def _renamed(self, old: str, new: str) -> None:
        for run in self.runs.values():
            if run.workflow.repository == old:
                run.workflow = replace(run.workflow, repository=new)
        for table in (self._workflow_ids, self.states):
            _readdress(table, old, new)
        if old in self.environments:
            self.environments[new] = self.environments.pop(old)

    # --- what others conclude from runs ---

    def of(self, repository_id: int, sha: str) -> list[Run]:
        return [run for run in self.runs.values() if run.repository_id == repository_id and run.sha == sha]


def named(workflows: list[Workflow], wanted: str) -> Workflow:
    """By number or by file name, as in GitHub's URLs. Raises `Refused`."""
    for workflow in workflows:
        if wanted in (str(workflow.id), workflow.path.rpartition("/")[2]):
            return workflow
    raise Refused(404, "Not Found")


def _readdress(table: dict[tuple[str, str], Any], old: str, new: str) -> None:
    for key in [key for key in table if key[0] == old]:
        table[new, key[1]] = table.pop(key)


def _triggers(on: Json) -> dict[str, Json]:
    if isinstance(on, str):
        return {on: None}
    if isinstance(on, list):
        return {str(name): None for name in on}
    return {str(name): settings for name, settings in on.items()} if isinstance(on, dict) else {}


def _environments(jobs: Json) -> frozenset[str]:
    """The environments of all jobs, each a name or a mapping with one."""
    found = [
        job.get("environment") for job in (jobs.values() if isinstance(jobs, dict) else ()) if isinstance(job, dict)
    ]
    names = [entry.get("name") if isinstance(entry, dict) else entry for entry in found]
    return frozenset(str(name) for name in names if name)


def _check_inputs(settings: Json, given: dict[str, Json]) -> None:
    known = (settings.get("inputs") if isinstance(settings, dict) else None) or {}
    if unexpected := sorted(given.keys() - known.keys()):
        raise Refused(422, f"Unexpected inputs provided: {unexpected}".replace("'", '"'))
    for name, about in known.items():
        about = about or {}
        if about.get("required") and "default" not in about and not given.get(name):
            raise Refused(422, f"Required input '{name}' not provided")
        if about.get("type") == "choice" and name in given and given[name] not in about.get("options", ()):
            text = f"Provided value '{given[name]}' for input '{name}' not in the list of allowed values"
            raise Refused(422, text)
