"""Jobs of runs with their steps, and what they annotate: what tells why a run has failed."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.access.asked import timestamp
from sandbox.github.actions.actions import Actions
from sandbox.github.actions.runs import Run
from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused

Json = Any
JOBS = "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs"
ANNOTATIONS = "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations"


@dataclass(frozen=True, slots=True)
class Jobs:
    """Every run has one job, of which the number is the run's."""

    edge: GitHubEdge
    actions: Actions

    def __post_init__(self) -> None:
        self.edge.routes.add("GET", "/repos/{owner}/{repo}/actions/runs/{run}/jobs", self._jobs)
        self.edge.routes.add("GET", "/repos/{owner}/{repo}/check-runs/{check_run}/annotations", self._annotations)

    async def _jobs(self, request: Request, owner: str, repo: str, run: str) -> Response:
        job = self._job(self._run(owner, repo, run), f"{self.edge.url}/repos/{owner}/{repo}")
        return self.edge.reply("GET", JOBS, 200, {"total_count": 1, "jobs": [job]})

    async def _annotations(self, request: Request, owner: str, repo: str, check_run: str) -> Response:
        failed = self.actions.failures.get(self._run(owner, repo, check_run).id)
        rows = [
            {
                "path": ".github",
                "start_line": 1,
                "end_line": 1,
                "start_column": None,
                "end_column": None,
                "annotation_level": level,
                "title": None,
                "message": message,
                "raw_details": None,
                "blob_href": f"{self.edge.site}/{owner}/{repo}/blob/main/.github",
            }
            for level, message in (failed.annotations if failed else ())
        ]
        return self.edge.reply("GET", ANNOTATIONS, 200, rows)

    def _run(self, owner: str, repo: str, run: str) -> Run:
        number = self.edge.identities.number_of(f"{owner}/{repo}")
        found = self.actions.runs.get(int(run)) if run.isdecimal() else None
        if found is None or found.repository_id != number:
            raise Refused(404, "Not Found")
        return found

    def _job(self, run: Run, home: str) -> Json:
        failed, began, ended = (
            self.actions.failures.get(run.id),
            timestamp(run.created_at),
            timestamp(run.updated_at),
        )
        steps = [
            {
                "name": name,
                "number": number,
                "status": "completed",
                "conclusion": "failure" if failed and name == failed.step else "success",
                "started_at": began,
                "completed_at": ended,
            }
            for number, name in enumerate(("Set up job", *((failed.step,) if failed else ())), 1)
        ]
        return {
            "id": run.id,
            "run_id": run.id,
            "run_url": f"{home}/actions/runs/{run.id}",
            "node_id": f"J_{run.id}",
            "head_sha": run.sha,
            "head_branch": run.branch,
            "url": f"{home}/actions/jobs/{run.id}",
            "html_url": f"{self.edge.site}/{run.workflow.repository}/actions/runs/{run.id}/job/{run.id}",
            "status": run.status,
            "conclusion": run.conclusion,
            "created_at": began,
            "started_at": began,
            "completed_at": ended if run.status == "completed" else None,
            "name": failed.job if failed else "build",
            "steps": steps,
            "check_run_url": f"{home}/check-runs/{run.id}",
            "labels": ["ubuntu-latest"],
            "runner_id": 1,
            "runner_name": "GitHub Actions 1",
            "runner_group_id": 1,
            "runner_group_name": "GitHub Actions",
            "run_attempt": run.attempt,
            "workflow_name": run.workflow.name,
        }
