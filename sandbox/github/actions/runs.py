"""Workflows and their runs as values, and as GitHub shows and filters them."""

import operator
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sandbox.github.access.asked import timestamp

Json = Any
BAD = frozenset({"failure", "cancelled", "timed_out", "action_required", "startup_failure", "stale"})


@dataclass(frozen=True, slots=True)
class Workflow:
    """A file of the default branch."""

    id: int
    repository: str
    path: str
    name: str
    triggers: Json
    """The value of `on`: each event that starts it, with its settings."""
    environments: frozenset[str] = frozenset()
    """Those of its jobs."""

    @property
    def node_id(self) -> str:
        return f"W_{self.id}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an earlier attempt of a run ended."""

    status: str
    conclusion: str | None
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class RedJob:
    """Why a run has failed; each annotation has its level: notice, warning or failure."""

    job: str
    step: str
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Run:
    """`status` is queued, waiting, in_progress or completed; `conclusion` is None until then."""

    id: int
    number: int
    workflow: Workflow
    event: str
    branch: str
    sha: str
    created_at: datetime
    updated_at: datetime
    inputs: dict[str, Json]
    actor: Json
    repository_id: int
    head_commit: Json
    status: str = "queued"
    conclusion: str | None = None
    seen: int = 0
    approved: set[str] = field(default_factory=set)
    """Environments that somebody let it into."""
    earlier: list[Attempt] = field(default_factory=list)

    @property
    def attempt(self) -> int:
        return len(self.earlier) + 1

    @property
    def node_id(self) -> str:
        return f"WFR_{self.id}"

    @property
    def suite_node_id(self) -> str:
        return f"CS_{self.id}"


def rollup(checks: Sequence[tuple[str, str | None]]) -> str | None:
    """Of the status and conclusion of each check: the state of all, None where there are none."""
    if not checks:
        return None
    if any(conclusion in BAD for _, conclusion in checks):
        return "FAILURE"
    return "SUCCESS" if all(status == "completed" for status, _ in checks) else "PENDING"


def fits(run: Run, query: Mapping[str, str]) -> bool:
    """Whether a listing with these query parameters shows the run."""
    wanted = {"event": run.event, "branch": run.branch, "head_sha": run.sha, "actor": run.actor["login"]}
    if any(name in query and query[name] != value for name, value in wanted.items()):
        return False
    if "check_suite_id" in query and query["check_suite_id"] != str(run.id):
        return False
    if "status" in query and query["status"] not in (run.status, run.conclusion):
        return False
    return "created" not in query or _within(timestamp(run.created_at), query["created"])


def _within(moment: str, wanted: str) -> bool:
    """GitHub's date syntax: `>=D`, `<D`, `D..D`, `D..*`, or a day or moment itself."""
    wanted = wanted.replace("+00:00", "Z")
    if ".." in wanted:
        first, _, last = wanted.partition("..")
        return (first == "*" or moment >= first) and (last == "*" or moment[: len(last)] <= last)
    for sign, compare in ((">=", operator.ge), ("<=", operator.le), (">", operator.gt), ("<", operator.lt)):
        if wanted.startswith(sign):
            limit = wanted.removeprefix(sign)
            return bool(compare(moment[: len(limit)], limit))
    return moment.startswith(wanted)


def simple_commit(commit: Json) -> Json:
    """A Git commit in the shorter form that runs carry."""
    person = {"author": commit["author"], "committer": commit["committer"]}
    return {
        "id": commit["sha"],
        "tree_id": commit["tree"]["sha"],
        "message": commit["message"],
        "timestamp": commit["author"]["date"],
        **{role: {"name": who["name"], "email": who["email"]} for role, who in person.items()},
    }


def workflow_json(workflow: Workflow, url: str, site: str, state: str) -> Json:
    """As GitHub shows it; `url` is where programs go, `site` where people do."""
    api, html = f"{url}/repos/{workflow.repository}", f"{site}/{workflow.repository}"
    return {
        "id": workflow.id,
        "node_id": workflow.node_id,
        "name": workflow.name,
        "path": workflow.path,
        "state": state,
        "created_at": "2025-01-01T00:00:00Z",
        "updated_at": "2025-01-01T00:00:00Z",
        "url": f"{api}/actions/workflows/{workflow.id}",
        "html_url": f"{html}/blob/main/{workflow.path}",
        "badge_url": f"{html}/workflows/{quote(workflow.name)}/badge.svg",
    }


def run_json(run: Run, shown: Json, url: str, site: str, attempt: int) -> Json:
    """One attempt as GitHub shows it; `shown` is the repository, `url` for programs, `site` for people."""
    past = run.earlier[attempt - 1] if attempt < run.attempt else None
    repository = f"{url}/repos/{run.workflow.repository}"
    own = f"{repository}/actions/runs/{run.id}"
    return {
        "id": run.id,
        "name": run.workflow.name,
        "node_id": run.node_id,
        "check_suite_node_id": run.suite_node_id,
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": run.workflow.path,
        "display_title": run.workflow.name,
        "run_number": run.number,
        "run_attempt": attempt,
        "previous_attempt_url": f"{own}/attempts/{attempt - 1}" if attempt > 1 else None,
        "event": run.event,
        "status": past.status if past else run.status,
        "conclusion": past.conclusion if past else run.conclusion,
        "workflow_id": run.workflow.id,
        "check_suite_id": run.id,
        "pull_requests": [],
        "created_at": timestamp(run.created_at),
        "updated_at": timestamp(past.ended_at if past else run.updated_at),
        "run_started_at": timestamp(run.created_at),
        "actor": run.actor,
        "triggering_actor": run.actor,
        "url": own,
        "html_url": f"{site}/{run.workflow.repository}/actions/runs/{run.id}",
        "jobs_url": f"{own}/jobs",
        "logs_url": f"{own}/logs",
        "check_suite_url": f"{repository}/check-suites/{run.id}",
        "artifacts_url": f"{own}/artifacts",
        "cancel_url": f"{own}/cancel",
        "rerun_url": f"{own}/rerun",
        "workflow_url": f"{repository}/actions/workflows/{run.workflow.id}",
        "head_commit": run.head_commit,
        "repository": shown,
        "head_repository": shown,
    }


def pending_json(environment: str, run: Run, url: str, site: str) -> Json:
    """A deployment that waits for somebody's approval, as GitHub shows it."""
    number = zlib.crc32(f"{run.repository_id}/{environment}".encode())
    return {
        "environment": {
            "id": number,
            "node_id": f"EN_{number}",
            "name": environment,
            "url": f"{url}/repos/{run.workflow.repository}/environments/{quote(environment, safe='')}",
            "html_url": f"{site}/{run.workflow.repository}/deployments/{quote(environment, safe='')}",
        },
        "wait_timer": 0,
        "wait_timer_started_at": None,
        "current_user_can_approve": False,
        "reviewers": [],
    }
