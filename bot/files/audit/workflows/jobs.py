"""What a workflow says of its jobs: which ones end before others begin, and the rights of their tokens."""

from collections.abc import Mapping as Dict

from bot.files.audit.workflows.expressions import filled
from bot.files.formats.source.nodes import Mapping, Scalar
from bot.files.formats.workflows.needs import needs_of


def permissions_of(node: Mapping) -> dict[str, str] | None:
    """The rights of a token that a workflow or a job writes down; None where it says nothing."""
    permissions = node.get("permissions")
    match permissions:
        case Scalar(value="write-all"):
            return _All("write")
        case Scalar(value="read-all"):
            return _All("read")
        case Mapping():
            return {key.value: value.value for key, value in permissions.entries() if isinstance(value, Scalar)}
    return None


class _All(dict[str, str]):
    """Every right is the same."""

    def __init__(self, right: str) -> None:
        super().__init__()
        self._right = right

    def get(self, key: str, default: str | None = None) -> str:  # type: ignore[override]
        return self._right


def environment_of(job: Mapping, values: Dict[str, str]) -> str | None:
    """The environment of the forge that a job names; what only a run knows stays an expression."""
    written = job.scalar("environment") or job.mapping("environment").scalar("name")
    return filled(written.value, values).strip() or None if written is not None else None


def ended_before(name: str, jobs: Dict[str, Mapping]) -> set[str]:
    """The jobs that have ended when this one begins, by what each needs."""
    ended_jobs: set[str] = set()
    waiting = [*needs_of(jobs[name])]
    while waiting:
        job = waiting.pop()
        if job in jobs and job not in ended_jobs:
            ended_jobs.add(job)
            waiting += needs_of(jobs[job])
    return ended_jobs - {name}


def in_order(jobs: Dict[str, Mapping]) -> list[str]:
    """Jobs after those that they need; in the order of the text otherwise."""
    return sorted(jobs, key=lambda name: len(ended_before(name, jobs)))
