"""Builds of Azure Pipelines as runs, in the words that runs of all builders share."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.clients.forges.azure_devops.answers import shaped
from bot.clients.forges.azure_devops.names import AzureNode, branch_of
from bot.domain.builder.runs import FailedJob, Run
from bot.domain.repositories.builds import PastRun

_EVENTS: Mapping[str, str] = {
    "manual": "workflow_dispatch",
    "schedule": "schedule",
    "scheduleForced": "schedule",
    "individualCI": "push",
    "batchedCI": "push",
    "pullRequest": "pull_request",
}
"""By the reason of a build; any other is told as it is."""
_STATUSES: Mapping[str, str] = {
    "notStarted": "queued",
    "postponed": "queued",
    "inProgress": "in_progress",
    "cancelling": "in_progress",
    "completed": "completed",
}
_CONCLUSIONS: Mapping[str, str] = {
    "succeeded": "success",
    "partiallySucceeded": "partially_succeeded",
    "failed": "failure",
    "canceled": "cancelled",
}
"""Of one that has partly succeeded nothing tells whether it has pushed: it is no success, and the image decides."""
_BAD = frozenset({"failed", "abandoned"})
_UNDECIDED = frozenset({"pending", "uninitiated"})
_LONGEST = 200
_LONGEST_NAME = 100
_MOST_NAMED = 3


def run_of(row: Mapping[str, Any], organization: str) -> Run:
    """A build as a run; raises `Failure` (malformed) where it is none."""
    with shaped("list of builds", organization):
        status, result = str(row["status"]), str(row.get("result"))
        number = int(row["id"])
        queued = row.get("queueTime")
        finished = row.get("finishTime")
        return Run(
            number,
            str(row["_links"]["web"]["href"]),
            _STATUSES.get(status, status),
            _CONCLUSIONS.get(result, result) if status == "completed" else None,
            created_at=datetime.fromisoformat(queued) if queued else None,
            title=_title(row),
            node_id=str(AzureNode(organization, str(row["project"]["id"]), "build", str(number))),
            commit=row.get("sourceVersion"),
            number=number,
            updated_at=datetime.fromisoformat(finished) if finished else None,
            branch=branch_of(row.get("sourceBranch")),
            event=_EVENTS.get(str(row.get("reason")), str(row.get("reason") or "")),
        )


def past_run_of(row: Mapping[str, Any], organization: str) -> PastRun:
    """A build as one of the past of its definition; raises `Failure` as `run_of` does."""
    run = run_of(row, organization)
    at = run.created_at or datetime.min.replace(tzinfo=UTC)
    return PastRun(at, *(run.event, run.branch, run.conclusion, run.url, run.id, run.updated_at))


def _title(row: Mapping[str, Any]) -> str:
    """Its number, and what it was handed when it was started: a correlation is found again by that."""
    handed = dict(row.get("templateParameters") or {})
    with suppress(ValueError, RecursionError, TypeError):  # then the number tells enough
        handed |= json.loads(row.get("parameters") or "{}")
    return " ".join(str(each) for each in (row.get("buildNumber", ""), handed.get("correlation", "")) if each)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a build stands until people or checks let it pass: before which `stage`, and by which `approvals`, by
    their ids; none where checks alone are waited for."""

    stage: str
    approvals: tuple[str, ...]

    def waits_for(self, approvers: Sequence[str]) -> str:
        """What it waits for, in words: `approval of stage production by Ada or Grace`."""
        kind = "approval" if self.approvals else "a check"
        place = f"{kind} of stage {self.stage}" if self.stage else kind
        names = [" ".join(name.split())[:_LONGEST_NAME] for name in dict.fromkeys(approvers)]
        return f"{place} by {' or '.join(names[:_MOST_NAMED])}" if names else place


def checkpoint_of(records: Iterable[Mapping[str, Any]]) -> Checkpoint | None:
    """The first checkpoint at which a build stands; None where it stands at none."""
    rows = list(records)
    going = [each for each in rows if each.get("state") == "inProgress"]
    checkpoint = next((each for each in going if each.get("type") == "Checkpoint"), None)
    if checkpoint is None:
        return None
    stage = next((each for each in rows if each.get("id") == checkpoint.get("parentId")), {})
    asked = [each for each in going if each.get("type") == "Checkpoint.Approval"]
    own = [str(each.get("id")) for each in asked if each.get("parentId") == checkpoint.get("id")]
    name = " ".join(str(stage.get("name") or "").split())[:_LONGEST_NAME]
    return Checkpoint(name, tuple(own[:_MOST_NAMED]))


def approvers_of(approvals: Iterable[Mapping[str, Any]]) -> list[str]:
    """Those who have yet to approve, of several approvals."""
    with shaped("list of approvals", ""):
        return [
            str(step["assignedApprover"]["displayName"])
            for approval in approvals
            for step in approval.get("steps") or ()
            if step.get("status") in _UNDECIDED
        ]


def first_failure(records: Iterable[Mapping[str, Any]]) -> FailedJob | None:
    """The job of a build that failed first, with its first task that did and that task's first error; None where
    none failed."""
    bad = sorted((each for each in records if each.get("result") in _BAD), key=_finished)
    job = next((each for each in bad if each.get("type") == "Job"), None)
    if job is None:
        return None
    tasks = (each for each in bad if each.get("type") == "Task" and each.get("parentId") == job.get("id"))
    task = next(tasks, {})
    issues = (task or job).get("issues") or ()
    error = next((str(each.get("message", "")) for each in issues if each.get("type") == "error"), "")
    words = " ".join(error.split())[:_LONGEST]
    return FailedJob(str(job.get("name", "")), str(task.get("name", "")), words)


def _finished(record: Mapping[str, Any]) -> tuple[str, int]:
    return str(record.get("finishTime") or "9"), int(record.get("order") or 0)
