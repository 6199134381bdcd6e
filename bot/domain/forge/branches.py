"""Branches of a repository: what is at their end, the files there, and the commit that is to follow."""

from collections.abc import Mapping
from dataclasses import dataclass

NO_COMMIT = "0" * 40
"""Git's name for a commit that is none."""
MOST_TIPS = 10
"""Commits whose files are asked for at once."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """The new content of one file; the mode stays as it was."""

    path: str
    content: bytes
    mode: str = "100644"


@dataclass(frozen=True, slots=True)
class BranchFile:
    """A file as it stands on a branch; `content` is None where it is too large to be written by hand."""

    path: str
    sha: str
    content: bytes | None
    mode: str = "100644"


@dataclass(frozen=True, slots=True)
class Tip:
    """The commit at the end of a branch, with those of the files asked for that it has.

    `is_own`: the bot has made it, and nobody has changed it since.
    """

    sha: str
    tree: str
    message: str
    is_own: bool
    files: Mapping[str, BranchFile]


def scratch_of(branch: str) -> str:
    """The branch beside it where its next commit is made: one that equals its base has its pull request closed by
    GitHub, if only for a moment, so it never goes there first. A crash may leave it."""
    return f"{branch}-next"


@dataclass(frozen=True, slots=True)
class BranchChange:
    """A commit of `files` on `onto`, to which `branch` moves if it still is at `before` (None: if there is none).

    `onto_tree` is the tree of `onto`. One that `is_aside` is prepared before the branch moves, as the one before it
    was: so several commits become one move. Its files are no executables. One that `is_pushed_whole` comes to the
    branch with the first push, since pushes start workflows there: none runs on what is there without it.
    """

    branch: str
    before: str | None
    onto: str
    onto_tree: str
    files: tuple[FileChange, ...]
    message: str
    is_aside: bool = False
    is_pushed_whole: bool = False
