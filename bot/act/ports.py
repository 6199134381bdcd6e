"""What `act` needs of the store, the code host and the registries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.change import Change
from bot.domain.forge import FileChange, PullRequest, Run
from bot.domain.rebuild import Rebuild
from bot.domain.repository import FleetRepository, Tree
from bot.domain.wanted_digest import Refreshed, WantedDigests
from bot.reconcile.work import Queue

Refresher = Callable[[Mapping[str, bytes], Mapping[str, WantedDigests]], Mapping[str, Refreshed]]
"""Brings files (content by path) to their wanted digests: `formats.rewrite.refresh`, wired in by the service. Those
for which nothing is wanted are only read with the others."""


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed rebuild with all that its text and its edits need.

    `is_listed` is False once the repository has left the fleet: archived, renamed, excluded or removed.
    """

    rebuild: Rebuild
    member: FleetRepository
    default_branch: str
    changes: tuple[Change, ...]
    paths: tuple[str, ...]
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class ActOptions:
    follow_every: timedelta = timedelta(minutes=5)
    open_pull_requests: int = 2
    visible_after: timedelta = timedelta(seconds=20)
    """How long a dispatched run may take to appear in the listing before it counts as not started."""
    label: str = "freshness"
    host: str = "github"
    """The forge's name, by which its pauses are known."""


class ActStore(Protocol):
    @property
    def jobs(self) -> Queue[Job]:
        """Rebuilds that await their action, and open ones whose text is outdated."""
        ...

    async def save_progress(self, rebuild: Rebuild) -> None: ...

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None: ...

    async def runs_taken(self, repository: str) -> set[int]: ...

    async def open_pull_requests(self, repository: str) -> int: ...

    async def known_blobs(self, shas: Sequence[str]) -> Mapping[str, bytes]: ...


WRITES = frozenset(
    {
        "create_commit",
        "create_branch",
        "move_branch",
        "create_pull_request",
        "update_pull_request",
        "close_pull_request",
        "add_labels",
        "request_review",
        "dispatch",
    }
)
"""The methods of `Host` that change something there: each is only called while the lease holds."""


class Host(Protocol):
    async def tree(self, repository: str, ref: str) -> Tree | None: ...

    async def subtree(self, repository: str, sha: str) -> Tree: ...

    async def blob(self, repository: str, sha: str) -> bytes: ...

    async def branch_head(self, repository: str, branch: str) -> str | None: ...

    async def default_branch(self, repository: str) -> str: ...

    async def commit(self, repository: str, sha: str) -> tuple[str, tuple[str, ...], str, bool]:
        """Its tree, its parents, its message, and whether somebody else has changed it since it was made."""
        ...

    async def create_commit(
        self, repository: str, *, parent: str, tree: str, files: Sequence[FileChange], message: str
    ) -> str: ...

    async def create_branch(self, repository: str, branch: str, sha: str) -> None: ...

    async def move_branch(self, repository: str, branch: str, sha: str) -> None: ...

    async def pull_requests(self, repository: str, branch: str) -> list[PullRequest]: ...

    async def create_pull_request(
        self, repository: str, *, branch: str, onto: str, title: str, body: str
    ) -> PullRequest: ...

    async def update_pull_request(self, repository: str, number: int, *, title: str, body: str) -> None: ...

    async def close_pull_request(self, repository: str, number: int, *, body: str) -> None: ...

    async def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> None: ...

    async def request_review(
        self, repository: str, number: int, *, people: Sequence[str], teams: Sequence[str]
    ) -> None: ...

    async def dispatch(
        self, repository: str, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None: ...

    async def dispatched_runs(
        self, repository: str, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]: ...

    async def run(self, repository: str, run: int) -> Run: ...
