"""GitHub Actions by REST: workflows, their dispatch, runs and their attempts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.actions.actions import Actions, named
from sandbox.github.actions.runs import Run, Workflow, fits, pending_json, run_json, workflow_json
from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused

Json = Any
RUNS = "/repos/{owner}/{repo}/actions/runs"
WORKFLOWS = "/repos/{owner}/{repo}/actions/workflows"
MOST_FILTERED = 1000
"""How many results a listing with a filter has at most."""
FILTERS = ("actor", "branch", "event", "status", "created", "head_sha", "check_suite_id")


@dataclass(frozen=True, slots=True)
class Workflows:
    edge: GitHubEdge
    actions: Actions

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
        add("GET", RUNS + "/{run}/attempts/{attempt}", self._attempt)
        add("GET", RUNS + "/{run}/pending_deployments", self._pending)
        add("POST", RUNS + "/{run}/cancel", self._cancel)
        add("POST", RUNS + "/{run}/rerun", self._again)
        add("POST", RUNS + "/{run}/rerun-failed-jobs", self._again)
        add("POST", "/sandbox/{owner}/{repo}/runs", self._record)

    # --- workflows ---

    async def _list_workflows(self, request: Request, owner: str, repo: str) -> Response:
        found = await self.actions.workflows(f"{owner}/{repo}")
        shown, links = self.edge.page(request, [self._shown(workflow) for workflow in found])
        return self.edge.reply("GET", WORKFLOWS, 200, {"total_count": len(found), "workflows": shown}, links)

    async def _workflow(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        found = await self._named(owner, repo, workflow)
        return self.edge.reply("GET", WORKFLOWS + "/{workflow_id}", 200, self._shown(found))

    async def _disable(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        found = await self._named(owner, repo, workflow)
        self.actions.states[found.repository, found.path] = "disabled_manually"
        return self.edge.reply("PUT", WORKFLOWS + "/{workflow_id}/disable", 204, None)

    async def _enable(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        found = await self._named(owner, repo, workflow)
        self.actions.states.pop((found.repository, found.path), None)
        return self.edge.reply("PUT", WORKFLOWS + "/{workflow_id}/enable", 204, None)

    async def _dispatch(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        found = await self._named(owner, repo, workflow)
        body = await request.json()
        run = await self.actions.dispatch(request, found, str(body.get("ref", "")), body.get("inputs") or {})
        path = WORKFLOWS + "/{workflow_id}/dispatches"
        if not body.get("return_run_details"):
            return self.edge.reply("POST", path, 204, None)
        shown = await self._run_json(run)
        details = {"workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"]}
        return self.edge.reply("POST", path, 200, details)

    # --- runs ---

    async def _all_runs(self, request: Request, owner: str, repo: str) -> Response:
        return await self._listing(request, RUNS, self._of(owner, repo))

    async def _workflow_runs(self, request: Request, owner: str, repo: str, workflow: str) -> Response:
        found = await self._named(owner, repo, workflow)
        rows = [run for run in self._of(owner, repo) if run.workflow.path == found.path]
        return await self._listing(request, WORKFLOWS + "/{workflow_id}/runs", rows)

    async def _run(self, request: Request, owner: str, repo: str, run: str) -> Response:
        found = self._looked_up(owner, repo, run)
        self.actions.look(found)
        return self.edge.reply("GET", RUNS + "/{run_id}", 200, await self._run_json(found))

    async def _attempt(self, request: Request, owner: str, repo: str, run: str, attempt: str) -> Response:
        found, number = self._looked_up(owner, repo, run), int(attempt)
        if not 1 <= number <= found.attempt:
            raise Refused(404, "Not Found")
        shown = await self._run_json(found, number)
        return self.edge.reply("GET", RUNS + "/{run_id}/attempts/{attempt_number}", 200, shown)

    async def _pending(self, request: Request, owner: str, repo: str, run: str) -> Response:
        found = self._looked_up(owner, repo, run)
        rows = [
            pending_json(name, found, self.edge.url, self.edge.site) for name in sorted(self.actions.pending(found))
        ]
        return self.edge.reply("GET", RUNS + "/{run_id}/pending_deployments", 200, rows)

    async def _cancel(self, request: Request, owner: str, repo: str, run: str) -> Response:
        found = self._looked_up(owner, repo, run)
        if found.status == "completed":
            raise Refused(409, "Cannot cancel a workflow run that is completed.")
        self.actions.finish(found.id, "cancelled")
        return self.edge.reply("POST", RUNS + "/{run_id}/cancel", 202, {})

    async def _again(self, request: Request, owner: str, repo: str, run: str) -> Response:
        self.actions.again(self._looked_up(owner, repo, run))
        return self.edge.reply("POST", RUNS + "/{run_id}/rerun", 201, {})

    async def _record(self, request: Request, owner: str, repo: str) -> Response:
        """The operator writes history."""
        if not self.edge.is_operator(request):
            raise Refused(404, "Not Found")
        body = await request.json()
        workflow = await self._named(owner, repo, body["path"].rpartition("/")[2])
        await self.actions.happened(workflow, body["event"], datetime.fromisoformat(body["at"]), body["conclusion"])
        return Response(status_code=204)

    # --- rows ---

    async def _named(self, owner: str, repo: str, workflow: str) -> Workflow:
        return named(await self.actions.workflows(f"{owner}/{repo}"), workflow)

    def _shown(self, workflow: Workflow) -> Json:
        return workflow_json(workflow, self.edge.url, self.edge.site, self.actions.state_of(workflow))

    async def _run_json(self, run: Run, attempt: int | None = None) -> Json:
        repository = (await self.edge.call("GET", f"/repos/{run.workflow.repository}")).body
        return run_json(run, repository, self.edge.url, self.edge.site, attempt or run.attempt)

    async def _listing(self, request: Request, path: str, rows: list[Run]) -> Response:
        query = request.query_params
        rows = [run for run in rows if fits(run, query)]
        if any(name in query for name in FILTERS):
            rows = rows[:MOST_FILTERED]
        shown, links = self.edge.page(request, rows)
        for run in shown:
            self.actions.look(run)
        body = {"total_count": len(rows), "workflow_runs": [await self._run_json(run) for run in shown]}
        return self.edge.reply("GET", path, 200, body, links)

    def _of(self, owner: str, repo: str) -> list[Run]:
        number = self.edge.identities.number_of(f"{owner}/{repo}")
        found = [run for run in self.actions.runs.values() if run.repository_id == number]
        return sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)

    def _looked_up(self, owner: str, repo: str, run: str) -> Run:
        found = next((row for row in self._of(owner, repo) if str(row.id) == run), None)
        if found is None:
            raise Refused(404, "Not Found")
        return found
