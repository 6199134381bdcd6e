"""A repository of git in memory: contents, trees and commits as git itself stores them, and branches that move by
compare-and-swap."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.repositories.repository import blob_name

NOTHING = "0" * 40
TREE = "40000"
Files = Mapping[str, tuple[str, str]]
"""By path the mode and the name of what is there."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a branch points to; `author` is an address."""

    sha: str
    tree: str
    files: Files
    parents: tuple[str, ...]
    message: str
    author: str
    at: datetime


@dataclass(slots=True)
class Git:
    """`branches` are by their names; `objects` has the commits and trees as git itself stores them, by name."""

    contents: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def stored(self) -> dict[str, bytes]:
        """All objects as a bare repository has them, each with its kind and length before it, by name."""
        blobs = {sha: _as_stored("blob", body) for sha, body in self.contents.items()}
        return {**self.objects, **blobs}

    def commit(
        self,
        parent: str | None,
        changes: Mapping[str, bytes | None],
        message: str,
        author: str,
        at: datetime,
        *,
        mode: str | None = None,
        more_parents: tuple[str, ...] = (),
    ) -> Commit:
        """Makes a commit of changed files, None for one that goes; a file keeps its mode where none is given."""
        files = dict(self.commits[parent].files) if parent else {}
        for path, content in changes.items():
            if content is None:
                files.pop(path, None)
                continue
            sha = blob_name(content, NOTHING)
            self.contents[sha] = content
            files[path] = (mode or files.get(path, ("100644", ""))[0], sha)
        parents = (*([parent] if parent else []), *more_parents)
        tree = self._write_tree(files)
        who = f"{author.partition('@')[0]} <{author}> {at.timestamp():.0f} +0000"
        lines = [f"tree {tree}", *(f"parent {each}" for each in parents), f"author {who}", f"committer {who}"]
        # A header of our own, as git allows them: two commits of one second are two all the same.
        lines += [f"number {len(self.commits)}", "", message]
        sha = self._keep("commit", "\n".join(lines).encode())
        made = self.commits[sha] = Commit(sha, tree, files, parents, message, author, at)
        return made

    def text(self, commit: str, path: str) -> str | None:
        """A file as a commit has it; None where it has none."""
        place = self.commits[commit].files.get(path) if commit in self.commits else None
        return None if place is None else self.contents[place[1]].decode()

    def is_at_or_before(self, earlier: str, later: str) -> bool:
        return earlier in set(self.history(later))

    def history(self, sha: str) -> Iterator[str]:
        """A commit and all that come before it, the nearest first."""
        waiting, seen = [sha], set[str]()
        while waiting:
            each = waiting.pop(0)
            if each in seen or each not in self.commits:
                continue
            seen.add(each)
            yield each
            waiting += self.commits[each].parents

    def entries(self, tree: str, *, recursive: bool) -> list[tuple[str, str, str]]:
        """The path, mode and name of what is in a tree."""
        found: list[tuple[str, str, str]] = []
        for name, mode, sha in self.trees[tree]:
            found.append((name, mode, sha))
            if recursive and mode == TREE:
                below = self.entries(sha, recursive=True)
                found += [(f"{name}/{path}", below_mode, each) for path, below_mode, each in below]
        return found

    def _write_tree(self, files: Files) -> str:
        folders: dict[str, dict[str, tuple[str, str]]] = {}
        entries: list[tuple[str, str, str]] = []
        for path, place in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = place
            else:
                entries.append((name, *place))
        entries += [(name, TREE, self._write_tree(below)) for name, below in folders.items()]
        entries.sort(key=lambda entry: entry[0] + ("/" if entry[1] == TREE else ""))
        body = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(sha) for name, mode, sha in entries)
        sha = self._keep("tree", body)
        self.trees[sha] = entries
        return sha

    def _keep(self, kind: str, body: bytes) -> str:
        """Stores an object, and answers its name."""
        stored = _as_stored(kind, body)
        sha = hashlib.sha1(stored, usedforsecurity=False).hexdigest()
        self.objects[sha] = stored
        return sha


def _as_stored(kind: str, body: bytes) -> bytes:
    return f"{kind} {len(body)}\0".encode() + body
