"""Why a workflow run has failed: its first job and step that did, and what they say first."""

from collections.abc import Mapping
from typing import Any

from bot.clients.forges.github.connection.answers import denial_in
from bot.clients.forges.github.connection.shapes import rows, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.runs import FailedJob
from bot.domain.repositories.repository import Identity

_BAD = frozenset({"failure", "timed_out", "startup_failure", "action_required"})
_LONGEST = 200


async def first_failure(transport: Transport, repository: Identity, run: int) -> FailedJob | None:
    """Asks in two requests; None where no job has failed. To see what a job annotates needs a right of its own."""
    home = f"/repos/{repository.name}"
    data = await transport.read(f"{home}/actions/runs/{run}/jobs", {"filter": "latest", "per_page": 100})
    job = _first_bad(rows(data, "jobs"))
    if job is None:
        return None
    with shaped("job"):
        step = _first_bad(row for row in job.get("steps") or () if isinstance(row, dict))
        number, name = int(job["id"]), str(job["name"])
    annotation = await _first_annotation(transport, f"{home}/check-runs/{number}/annotations")
    denial = denial_in(annotation)
    return FailedJob(
        name, str(step["name"]) if step else "", annotation, denial.advice if denial is not None else ""
    )


def _first_bad(candidates: Any) -> Mapping[str, Any] | None:
    return next((row for row in candidates if row.get("conclusion") in _BAD), None)


async def _first_annotation(transport: Transport, path: str) -> str:
    try:
        annotations = rows(await transport.read(path, {"per_page": 20}), None)
    except Failure as failure:
        if failure.trouble not in (Trouble.DENIED, Trouble.MISSING):
            raise
        return ""
    failures = [row for row in annotations if row.get("annotation_level") == "failure"]
    texts = (" ".join(str(row.get("message") or "").split()) for row in failures)
    return next((text for text in texts if text), "")[:_LONGEST]
