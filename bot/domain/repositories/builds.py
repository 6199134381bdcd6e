"""What a workflow has built: whether it is enabled, and how its runs on the default branch ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.builder.runs import CHECKS
from bot.domain.clock import is_yet_to_come

ACTIVE = "active"
DELETED = "deleted"
"""How the forge calls a workflow whose file is gone, as once it is renamed."""
MOST_SCHEDULED = 4
"""So many runs of its own schedule tell how often that fires."""
MOST_FAILED = 3
"""So many failures in a row are enough to stop."""

_FAILED = frozenset({"failure", "timed_out", "startup_failure"})


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of a workflow; `conclusion` is None until it has concluded.

    `updated_at` is when it changed last, as by a later attempt; it and `id` are None where they are not told.
    """

    at: datetime
    event: str
    branch: str | None
    conclusion: str | None
    url: str = ""
    id: int | None = None
    updated_at: datetime | None = None

    @property
    def has_succeeded(self) -> bool:
        return self.conclusion == "success"

    @property
    def has_failed(self) -> bool:
        """A run that somebody cancelled, or that was skipped, tells nothing."""
        return self.conclusion in _FAILED

    def builds(self, branch: str) -> bool:
        return self.branch == branch and self.event not in CHECKS


@dataclass(frozen=True, slots=True)
class WorkflowShown:
    """A workflow file as the forge knows it: `node_id` for good, `state` in the forge's word.

    Of one that runs elsewhere also the `path` of its file, what it takes beside the `inputs` that the file
    declares, and its `revision`, which changes with whatever is set there.
    """

    node_id: str
    state: str
    path: str = ""
    inputs: tuple[str, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class LatestRuns:
    """The latest runs of a workflow, newest first, on whatever branch; `are_all` where there are no older ones.
    `revision` is as of `WorkflowShown`."""

    state: str
    runs: tuple[PastRun, ...]
    are_all: bool
    revision: int = 0


@dataclass(frozen=True, slots=True)
class BranchBuilds:
    """What is known of the builds on the default branch, whoever started them.

    `scheduled` are the latest that its own schedule started, `failed` those that failed since the last success:
    both newest first, and no more than are needed. `ended` is the run that ended last, in whichever attempt.
    `known_until` is the moment up to which all runs are known. `revision` is as of `WorkflowShown`.
    """

    state: str = ACTIVE
    last_success: PastRun | None = None
    scheduled: tuple[PastRun, ...] = ()
    failed: tuple[PastRun, ...] = ()
    known_until: datetime | None = None
    ended: PastRun | None = None
    revision: int = 0

    def is_set_otherwise(self, before: "BranchBuilds") -> bool:
        """Whether what the workflow is made of may be something else than before."""
        return bool(self.revision and before.revision) and self.revision != before.revision

    def are_joined_by(self, latest: LatestRuns, now: datetime) -> bool:
        """Whether no run can have been between what was known and these; up to a moment that is yet to come nobody
        knows them."""
        if latest.are_all:
            return True
        until = self.known_until
        return until is not None and not is_yet_to_come(until, now) and latest.runs[-1].at <= until


def builds_with(
    builds: BranchBuilds, state: str, runs: Iterable[PastRun], branch: str, until: datetime
) -> BranchBuilds:
    """What is known once these runs, in any order, are taken in."""
    fresh = sorted((run for run in runs if run.builds(branch)), key=lambda run: run.at, reverse=True)
    succeeded = [run for run in (*fresh, builds.last_success) if run is not None and run.has_succeeded]
    last = max(succeeded, key=lambda run: run.at, default=None)
    failed = [
        run for run in _merge_runs(fresh, builds.failed) if run.has_failed and (last is None or run.at > last.at)
    ]
    scheduled = [run for run in _merge_runs(fresh, builds.scheduled) if run.event == "schedule"]
    ended = _ended_last((*fresh, builds.ended))
    return BranchBuilds(state, last, tuple(scheduled[:MOST_SCHEDULED]), tuple(failed[:MOST_FAILED]), until, ended)


def _ended_last(runs: Iterable[PastRun | None]) -> PastRun | None:
    """The one that ended last and that can be asked for; one whose next attempt goes on has not ended."""
    datable_runs = (run for run in runs if run is not None and run.id is not None and run.updated_at is not None)
    ended = [run for run in datable_runs if run.has_succeeded or run.has_failed]
    return max(ended, key=lambda run: run.updated_at or run.at, default=None)


def _merge_runs(fresh: Iterable[PastRun], known_runs: Iterable[PastRun]) -> list[PastRun]:
    """Newest first; of two tellings of one run the fresh one."""
    by_moment = {(run.at, run.event, run.url): run for run in known_runs}
    by_moment |= {(run.at, run.event, run.url): run for run in fresh}
    return sorted(by_moment.values(), key=lambda run: run.at, reverse=True)
