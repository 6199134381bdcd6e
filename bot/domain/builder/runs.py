"""Workflow runs: as they are asked for one by one, followed among many, or found on a built commit; and what they
leave behind."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.failure import Failure
from bot.domain.repositories.repository import workflow_name

CLOCKS_DIFFER_BY = timedelta(seconds=5)
"""A run may bear a time a little before the one when it was asked for."""
_SOUGHT_BACK = timedelta(days=7)
"""So long after a clock that was ahead is right again is a run looked for that was asked for by it."""
APPROVAL = "approval"
"""What a run waits for that is `waiting`, where nothing more is told of it."""
CHECKS = frozenset(
    {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "merge_group"}
)
"""Events whose runs judge what is to be merged, whatever the branch is called, which may be a fork's; a merge
queue's have the very commit that it merges."""


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow run; `conclusion` is None until it has concluded.

    `node_id` is by what it can be asked for together with others (at GitHub that of its check suite).
    """

    id: int
    url: str
    status: str
    conclusion: str | None
    created_at: datetime | None = None
    title: str = ""
    node_id: str | None = None
    commit: str | None = None
    number: int | None = None
    updated_at: datetime | None = None
    branch: str | None = None
    event: str = ""
    """What has started it: push, schedule, workflow_dispatch, …"""
    waits_for: str = APPROVAL

    @property
    def state(self) -> "RunState":
        return RunState(self.status, self.conclusion, self.commit, self.number, self.waits_for)

    @property
    def has_concluded(self) -> bool:
        return self.status == "completed"


def sought_since(asked_at: datetime) -> datetime:
    """From when on the runs are looked through for one that was asked for then, by the bot's clock: where that was
    ahead, the run came before."""
    return asked_at - _SOUGHT_BACK


def dispatched_run(
    runs: Iterable[Run], owned_ids: Collection[int], correlation: str | None, asked_at: datetime
) -> Run | None:
    """The run that a dispatch started: the one that names its correlation, else the first since it was asked for
    that nobody owns.

    `runs` are those of the workflow since `sought_since`, oldest first; `owned_ids` are runs of other rebuilds.
    """
    free = [run for run in runs if run.id not in owned_ids]
    title_matches = (run for run in free if correlation and correlation in run.title)
    since = asked_at - CLOCKS_DIFFER_BY
    later = (run for run in free if run.created_at is None or run.created_at >= since)
    return next(title_matches, next(later, None))


def run_in_place_of(cancelled: Run, runs: Iterable[Run]) -> Run | None:
    """The run that came in place of one that was cancelled, as in a concurrency group: the next of its workflow on
    its branch, which has the same commits and maybe more. None where there is none.

    `runs` are those of the workflow, oldest first; one that judges what is to be merged builds nothing.
    """
    builds = (run for run in runs if run.branch == cancelled.branch and run.event not in CHECKS)
    return next((run for run in builds if run.id > cancelled.id and run.conclusion != "cancelled"), None)


def run_under_way(runs: Iterable[Run], head: str, since: datetime) -> Run | None:
    """The newest run that builds the commit `head` and was started after `since`, of those that have not concluded.

    A run that judges what is to be merged builds nothing.
    """
    going = (
        run
        for run in runs
        if not run.has_concluded
        and run.commit == head
        and run.event not in CHECKS
        and run.created_at is not None
        and run.created_at > since + CLOCKS_DIFFER_BY
    )
    return max(going, key=lambda run: run.id, default=None)


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run is, and what names what it builds: the commit, and which run of its workflow it is.

    `waits_for` is what a run that is `waiting` waits for, and whom.
    """

    status: str
    conclusion: str | None
    commit: str | None = None
    number: int | None = None
    waits_for: str = APPROVAL


@dataclass(frozen=True, slots=True)
class FollowedRuns:
    """What a look at many runs at once has shown, by node id; what is gone is not in it.

    `unseen` are those that the credentials may not see in this way, each with why: a run may still be asked for
    alone.
    """

    states: Mapping[str, RunState] = field(default_factory=dict)
    unseen: Mapping[str, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailedJob:
    """The first job of a run that failed, with its first step that did, and what it said first of that.

    Each text is empty where there is none. `advice` is what to do about what it said, where that is known.
    """

    job: str
    step: str = ""
    message: str = ""
    advice: str = ""

    def __str__(self) -> str:
        place = f"job {self.job}, step {self.step}" if self.step else f"job {self.job}"
        text = f"{place}: {self.message}" if self.message else place
        return f"{text}; {self.advice}" if self.advice else text


@dataclass(frozen=True, slots=True)
class MergedCommit:
    """A commit of a default branch, by `node_id` at its forge, and when it came there. `workflow` is what builds it
    where that is known."""

    node_id: str
    commit: str
    at: datetime
    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class BuildRun:
    """A run on a commit of the default branch: of which workflow, what has started it (push, schedule, …), and
    which one of its workflow it is. `id` is None where the forge does not tell it."""

    path: str
    event: str
    status: str
    conclusion: str | None
    url: str
    commit: str | None = None
    number: int | None = None
    id: int | None = None
    waits_for: str = APPROVAL

    @property
    def file(self) -> str:
        return workflow_name(self.path)


@dataclass(frozen=True, slots=True)
class Artifact:
    """An archive that a run has kept; `size` counts its bytes as packed. One that `is_expired` is listed only.

    `digest` is that of the archive (`sha256:…`), None where the forge does not tell it.
    """

    id: int
    name: str
    size: int
    is_expired: bool = False
    digest: str | None = None
