"""What the code host shows of the work done there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCKS_DIFFER_BY = timedelta(seconds=5)
"""A run may bear a time a little before the one when it was asked for."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """`branch` is the head branch without its owner; `head` the commit that it points to.

    `is_conflicted` is only known where one is looked at by itself, and False until the host has found out.
    """

    number: int
    url: str
    branch: str
    head: str
    title: str
    body: str
    is_open: bool
    is_merged: bool
    merge_commit: str | None = None
    labels: tuple[str, ...] = ()
    is_conflicted: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow run; `conclusion` is None until it has concluded."""

    id: int
    url: str
    status: str
    conclusion: str | None
    created_at: datetime | None = None
    title: str = ""

    @property
    def has_concluded(self) -> bool:
        return self.status == "completed"


def dispatched_run(runs: Iterable[Run], taken: Collection[int], correlation: str | None) -> Run | None:
    """The run that a dispatch started: the one that names its correlation, else the first that nobody owns.

    `runs` are those of the workflow since the dispatch, oldest first; `taken` belong to other rebuilds.
    """
    free = [run for run in runs if run.id not in taken]
    named = (run for run in free if correlation and correlation in run.title)
    return next(named, free[0] if free else None)


@dataclass(frozen=True, slots=True)
class FileChange:
    """The new content of one file; the mode stays as it was."""

    path: str
    content: bytes
    mode: str = "100644"
