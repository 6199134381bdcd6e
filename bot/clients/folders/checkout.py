"""A local checkout: the files worth reading, and writing one back without ever leaving half of it."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import NO_SOURCES, TreeEntry

_SKIPPED = NO_SOURCES | {".git", ".hg", ".svn"}
"""Folders that hold no sources of the checkout, and many files."""
_LINK = "120000"


def entries(root: Path) -> Iterator[TreeEntry]:
    """The files below `root` (or `root` itself, where it is one) as git would list them, in order, without names
    of their contents.

    Symbolic links are listed and not followed: they may lead out of the checkout. Raises `Failure` where `root` is
    missing, or a folder may not be looked into: what is in it would be passed over.
    """
    if root.is_file():
        yield TreeEntry(root.name, "", size=root.stat().st_size)
        return
    if not root.is_dir():
        raise Failure(Trouble.MISSING, "there is no such file or folder", where=str(root))
    for folder, folders, files in os.walk(root, onerror=_refuse):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted([*files, *links]):
            path = Path(folder) / name
            relative = path.relative_to(root).as_posix()
            if path.is_symlink():
                yield TreeEntry(relative, "", mode=_LINK)
            elif path.is_file():
                yield TreeEntry(relative, "", size=path.stat().st_size)


def default_branch(root: Path) -> str:
    """What the repository that was cloned calls its default branch, by git's `origin/HEAD`; empty where git keeps
    none, or where `root` is no checkout."""
    try:
        head = _shared_folder(root / ".git") / _HEAD_OF_ORIGIN
        written = head.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    prefix = f"ref: {_BRANCHES_OF_ORIGIN}"
    return written.removeprefix(prefix)[:_LONGEST_BRANCH] if written.startswith(prefix) else ""


_BRANCHES_OF_ORIGIN = "refs/remotes/origin/"
_HEAD_OF_ORIGIN = f"{_BRANCHES_OF_ORIGIN}HEAD"
_LONGEST_BRANCH = 255


def _shared_folder(git: Path) -> Path:
    """What all work trees of a repository share, where `git` may be the file of one that names its own folder."""
    if not git.is_file():
        return git
    own = git.parent / git.read_text(encoding="utf-8", errors="replace").removeprefix("gitdir:").strip()
    common = own / "commondir"
    return own / common.read_text(encoding="utf-8", errors="replace").strip() if common.is_file() else own


def _refuse(error: OSError) -> None:
    raise Failure(
        Trouble.DENIED,
        f"cannot be looked into: {error.strerror}",
        where=str(error.filename),
        advice="make it readable, or name a folder without it",
    ) from error


def read(path: Path, largest: int) -> bytes:
    """Reads at most one byte more than `largest`, so that a reader can tell what is too large."""
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be read: {error.strerror}", where=str(path)) from error


def write(path: Path, data: bytes) -> None:
    """Replaces the file in one step, with its mode as it was. Windows replaces none that is still open."""
    try:
        mode = path.stat().st_mode
        file = tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115
        try:
            with file:
                file.write(data)
            os.chmod(file.name, mode)
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be written: {error.strerror}", where=str(path)) from error


def content_name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
