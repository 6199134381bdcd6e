"""GitHub Actions: workflows as the default branch has them, and runs that a test or a demo moves on.

The emulator knows of no workflow files. Nothing is executed here: a run ends when `finish` is called, or by itself
after it was looked at `complete_after` times.
"""

import base64
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import yaml
from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.edge import GitHubEdge
from sandbox.github.identity import Node
from sandbox.github.refusals import Refused
from sandbox.github.runs import Run, Workflow, fits, rollup, run_json, simple_commit, workflow_json

Json = Any
RUNS = "/repos/{owner}/{repo}/actions/runs"
WORKFLOWS = "/repos/{owner}/{repo}/actions/workflows"
FOLDER = ".github/workflows"


@dataclass(slots=True)
class Actions:
    edge: GitHubEdge
    complete_after: int | None = None
    """How many looks at a run end it with success; None leaves runs to `finish`."""
    on_finished: Callable[[Run], None] | None = None
    """Called when a run ends: the place where a demo pushes the image that the workflow would have built."""
    runs: dict[int, Run] = field(default_factory=dict)
    disabled: set[tuple[str, str]] = field(default_factory=set)
    _workflow_ids: dict[tuple[str, str], int] = field(default_factory=dict)
    _run_ids: Iterator[int] = field(default_factory=lambda: itertools.count(30_000_001))

    def __post_init__(self) -> None:
        add = self.edge.routes.add
        add("GET", WORKFLOWS, self._list_workflows)
        add("GET", WORKFLOWS + "/{workflow}", self._workflow)
        add("PUT", WORKFLOWS + "/{workflow}/disable", self._disable)
        add("PUT", WORKFLOWS + "/{workflow}/enable", self._enable)
        add("POST", WORKFLOWS + "/{workflow}/dispatches", self._dispatch)
        add("GET", WORKFLOWS + "/{workflow}/runs", self._workflow_runs)
        add("GET", RUNS, self._all_runs)
        add("GET", RUNS + "/{run}", self._run)
        add("POST", RUNS + "/{run}/cancel", self._cancel)

    def begin(self, run_id: int) -> None:
        self._move(self.runs[run_id], "in_progress", None)

    def finish(self, run_id: int, conclusion: str = "success") -> None:
        """Ends the run with GitHub's word for it: success, failure, cancelled, timed_out, …"""
        self._move(self.runs[run_id], "completed", conclusion)

    def forget(self, repository: str) -> None:
        """Drops the runs of `repository`."""
        self.runs = {number: run for number, run in self.runs.items() if run.workflow.repository != repository}

    def _move(self, run: Run, status: str, conclusion: str | None) -> None:
        if run.status == "completed":
            return
        run.status, run.conclusion, run.updated_at = status, conclusion, self.edge.surroundings.clock.now()
        if status == "completed" and self.on_finished is not None:
            self.on_finished(run)

    async def event(self, request: Request, repository: str, name: str, branch: str, sha: str) -> None:
        """Starts the workflows of `repository` that run on what `request` just did to this branch."""
        for workflow in await self._workflows(repository):
            settings = workflow.triggers.get(name, False)
            if settings is False or (repository, workflow.path) in self.disabled:
                continue
            branches = (settings or {}).get("branches")
            if branches is None or branch in branches:
                await self._start(workflow, name, branch, sha, await self.edge.caller(request), {})

    # --- handlers ---

    async def _list_workflows(self, request: Request, owner: str, repo: str) -> Response:
        found = await self._readable(request, owner, repo)
        shown, links = self.edge.page(request, [self._shown(workflow) for workflow in found])
        return self.edge.reply("GET", WORKFLOWS, 200, {"total_count": len(found), "workflows": shown}, links)

    async def _workflow(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        found = _named(await self._readable(request, owner, repo), workflow)
        return self.edge.reply("GET", WORKFLOWS + "/{workflow_id}", 200, self._shown(found))

    async def _disable(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        self.edge.require(request, "actions", "write")
        found = _named(await self._readable(request, owner, repo), workflow)
        self.disabled.add((found.repository, found.path))
        return self.edge.reply("PUT", WORKFLOWS + "/{workflow_id}/disable", 204, None)

    async def _enable(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        self.edge.require(request, "actions", "write")
        found = _named(await self._readable(request, owner, repo), workflow)
        self.disabled.discard((found.repository, found.path))
        return self.edge.reply("PUT", WORKFLOWS + "/{workflow_id}/enable", 204, None)

    async def _dispatch(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        self.edge.require(request, "actions", "write")
        found = _named(await self._readable(request, owner, repo), workflow)
        body = await request.json()
        inputs = body.get("inputs") or {}
        if (found.repository, found.path) in self.disabled:
            raise Refused(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
        if "workflow_dispatch" not in found.triggers:
            raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
        _check_inputs(found.triggers["workflow_dispatch"] or {}, inputs)
        branch = str(body.get("ref", "")).removeprefix("refs/heads/")
        head = await self.edge.call("GET", f"/repos/{owner}/{repo}/git/ref/heads/{quote(branch)}", like=request)
        if head.status != 200:
            raise Refused(422, f"No ref found for: {body.get('ref')}")
        actor = await self.edge.caller(request)
        run = await self._start(found, "workflow_dispatch", branch, head.body["object"]["sha"], actor, inputs)
        path = WORKFLOWS + "/{workflow_id}/dispatches"
        if not body.get("return_run_details"):
            return self.edge.reply("POST", path, 204, None)
        shown = run_json(run, self.edge.url)
        details = {"workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"]}
        return self.edge.reply("POST", path, 200, details)

    async def _all_runs(self, request: Request, owner: str, repo: str) -> Response:
        await self._readable(request, owner, repo)
        return self._listing(request, RUNS, self._of(owner, repo))

    async def _workflow_runs(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        found = _named(await self._readable(request, owner, repo), workflow)
        rows = [run for run in self._of(owner, repo) if run.workflow.path == found.path]
        return self._listing(request, WORKFLOWS + "/{workflow_id}/runs", rows)

    async def _run(self, request: Request, owner: str, repo: str, run: str) -> Response:
        await self._readable(request, owner, repo)
        found = self._looked_up(owner, repo, run)
        self.look(found)
        return self.edge.reply("GET", RUNS + "/{run_id}", 200, run_json(found, self.edge.url))

    async def _cancel(self, request: Request, owner: str, repo: str, run: str) -> Response:
        self.edge.require(request, "actions", "write")
        found = self._looked_up(owner, repo, run)
        if found.status == "completed":
            raise Refused(409, "Cannot cancel a workflow run that is completed.")
        self.finish(found.id, "cancelled")
        return self.edge.reply("POST", RUNS + "/{run_id}/cancel", 202, {})

    # --- what others conclude from runs ---

    def state_of(self, workflow: Workflow) -> str:
        disabled = (workflow.repository, workflow.path) in self.disabled
        return "disabled_manually" if disabled else "active"

    def rollup(self, repository_id: int, sha: str) -> str | None:
        """What the checks of a commit amount to, in GraphQL's words; None where there are none."""
        runs = [run for run in self.runs.values() if run.repository["id"] == repository_id and run.sha == sha]
        return rollup([(run.status, run.conclusion) for run in runs])

    # --- rows ---

    def _shown(self, workflow: Workflow) -> Json:
        disabled = (workflow.repository, workflow.path) in self.disabled
        return workflow_json(workflow, self.edge.url, disabled=disabled)

    def _listing(self, request: Request, path: str, rows: list[Run]) -> Response:
        query = request.query_params
        rows = [run for run in rows if fits(run, query)]
        shown, links = self.edge.page(request, rows)
        for run in shown:
            self.look(run)
        body = {"total_count": len(rows), "workflow_runs": [run_json(run, self.edge.url) for run in shown]}
        return self.edge.reply("GET", path, 200, body, links)

    def _of(self, owner: str, repo: str) -> list[Run]:
        name = f"{owner}/{repo}".lower()
        newest_first = reversed(list(self.runs.values()))
        return [run for run in newest_first if run.workflow.repository.lower() == name]

    def _looked_up(self, owner: str, repo: str, run: str) -> Run:
        found = next((row for row in self._of(owner, repo) if str(row.id) == run), None)
        if found is None:
            raise Refused(404, "Not Found")
        return found

    def look(self, run: Run) -> None:
        """Counts a look at a run, which may end it."""
        run.seen += 1
        if self.complete_after is None or run.status == "completed":
            return
        if run.seen > self.complete_after:
            self.finish(run.id)
        elif run.seen > 1:
            self.begin(run.id)

    async def _readable(self, request: Request, owner: str, repo: str) -> list[Workflow]:
        repository = await self.edge.call("GET", f"/repos/{owner}/{repo}", like=request)
        if repository.status != 200:
            raise Refused(404, "Not Found")
        self.edge.require(request, "actions", "read")
        return await self._workflows(repository.body["full_name"])

    async def _workflows(self, repository: str) -> list[Workflow]:
        listing = await self.edge.call("GET", f"/repos/{repository}/contents/{FOLDER}")
        files = listing.body if listing.status == 200 and isinstance(listing.body, list) else []
        return [
            await self._read(repository, entry["path"])
            for entry in files
            if entry["type"] == "file" and entry["path"].endswith((".yml", ".yaml"))
        ]

    async def _read(self, repository: str, path: str) -> Workflow:
        content = (await self.edge.call("GET", f"/repos/{repository}/contents/{quote(path)}")).body["content"]
        try:
            document = yaml.safe_load(base64.b64decode(content))
        except yaml.YAMLError:
            document = None
        document = document if isinstance(document, dict) else {}
        identity = self._workflow_ids.setdefault((repository, path), 20_000_001 + len(self._workflow_ids))
        # YAML 1.1 reads the bare key `on` as true
        triggers = _triggers(document.get("on", document.get(True)))
        return Workflow(identity, repository, path, str(document.get("name", path)), triggers)

    async def _start(
        self, workflow: Workflow, event: str, branch: str, sha: str, actor: Json, inputs: dict[str, Json]
    ) -> Run:
        number = 1 + sum(run.workflow.id == workflow.id for run in self.runs.values())
        repository = (await self.edge.call("GET", f"/repos/{workflow.repository}")).body
        commit = (await self.edge.call("GET", f"/repos/{workflow.repository}/git/commits/{sha}")).body
        now = self.edge.surroundings.clock.now()
        run = Run(
            next(self._run_ids),
            number, workflow, event, branch, sha, now, now, inputs, actor, repository, simple_commit(commit),
        )  # fmt: skip
        self.runs[run.id] = run
        self.edge.identities.add(run.node_id, Node("WorkflowRun", repository["id"], str(run.id)))
        self.edge.identities.add(run.suite_node_id, Node("CheckSuite", repository["id"], str(run.id)))
        return run


def _named(workflows: list[Workflow], wanted: str) -> Workflow:
    """By number or by file name, as in GitHub's URLs."""
    for workflow in workflows:
        if wanted in (str(workflow.id), workflow.path.rpartition("/")[2]):
            return workflow
    raise Refused(404, "Not Found")


def _triggers(on: Json) -> dict[str, Json]:
    if isinstance(on, str):
        return {on: None}
    if isinstance(on, list):
        return {str(name): None for name in on}
    return {str(name): settings for name, settings in on.items()} if isinstance(on, dict) else {}


def _check_inputs(settings: Json, given: dict[str, Json]) -> None:
    known = (settings.get("inputs") if isinstance(settings, dict) else None) or {}
    if unexpected := sorted(given.keys() - known.keys()):
        raise Refused(422, f"Unexpected inputs provided: {unexpected}".replace("'", '"'))
    for name, about in known.items():
        about = about or {}
        if about.get("required") and "default" not in about and not given.get(name):
            raise Refused(422, f"Required input '{name}' not provided")
