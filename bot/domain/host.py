"""What the code host shows of the work done there."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PullRequest:
    """`branch` is the head branch without its owner; `head` the commit that it points to."""

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


@dataclass(frozen=True, slots=True)
class FileChange:
    """The new content of one file; the mode stays as it was."""

    path: str
    content: bytes
    mode: str = "100644"
