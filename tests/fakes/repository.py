"""One repository of the fake forge in dictionaries, and the hands of its people."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.domain.builder.runs import Artifact, BuildRun, FailedJob, Run
from bot.domain.forge.port import TakenIn
from bot.domain.forge.pull_requests import MergeRequirements, PullRequest
from bot.domain.repositories.builds import PastRun
from bot.domain.repositories.issue import Issue
from bot.domain.repositories.repository import GITHUB, Identity
from bot.domain.repositories.surroundings import EnvironmentProtection

BOT = "freshness-bot[bot]"
PERSON = "octocat"
CONFIG = ".github/freshness.yaml"
WORKFLOWS = ".github/workflows/"
SHA1 = "0" * 40


@dataclass(frozen=True, slots=True)
class Commit:
    files: Mapping[str, bytes]
    parents: tuple[str, ...]
    message: str
    author: str = PERSON
    committer: str = PERSON
    modes: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha(self) -> str:
        told = repr((sorted(self.files.items()), self.parents, self.message, self.author, self.committer))
        return hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class FakeRepository:
    """One repository, and the hands of its people."""

    id: str
    name: str
    trunk: str = "main"
    is_archived: bool = False
    is_locked: bool = False
    is_gone: bool = False
    takes_no_branches: bool = False
    """No rule lets the bot make one."""
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    requests: dict[int, PullRequest] = field(default_factory=dict)
    opened_again: set[int] = field(default_factory=set)
    """Pull requests that were closed, and are or were open again."""
    reviewers: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    builds: dict[str, list[BuildRun]] = field(default_factory=dict)
    """Commit → the runs on it."""
    inputs: list[Mapping[str, str]] = field(default_factory=list)
    forge: str = GITHUB
    pipelines: set[str] = field(default_factory=set)
    """What builds it elsewhere, as rules call that."""
    linked: set[int] = field(default_factory=set)
    """Pull requests with a work item."""
    requirements: MergeRequirements = field(default_factory=MergeRequirements)
    is_green: bool = False
    """Whether all that a merge requires is there."""
    started: dict[int, str] = field(default_factory=dict)
    """The workflow file of each run."""
    states: dict[str, str] = field(default_factory=dict)
    """Of workflow files that are not active."""
    history: dict[str, list[PastRun]] = field(default_factory=dict)
    """By workflow file, runs that nobody dispatched."""
    tags: dict[str, str] = field(default_factory=dict)
    environments: dict[str, EnvironmentProtection] = field(default_factory=dict)
    """By name in lower case."""
    has_code_scanning: bool = True
    uploads: list[tuple[str, str, bytes]] = field(default_factory=list)
    """What code scanning was given: commit, branch and log."""
    taken_in: TakenIn = field(default_factory=TakenIn)
    failures: dict[int, FailedJob] = field(default_factory=dict)
    """Run → the job that failed in it."""
    artifacts: dict[int, list[Artifact]] = field(default_factory=dict)
    """Run → what it left behind."""

    @property
    def node_id(self) -> str:
        return f"R_{self.id}"

    @property
    def identity(self) -> Identity:
        return Identity(self.name, self.node_id, self.forge)

    def commit_to(
        self, branch: str, files: Mapping[str, bytes | None], message: str = "by hand", *, mode: str = "100644"
    ) -> str:
        """What a person pushes; None takes a file away."""
        head = self.branches.get(branch) or self.branches.get(self.trunk)
        known = self.commits[head] if head else Commit({}, (), "")
        changed = {**known.files, **files}
        kept = {path: content for path, content in changed.items() if content is not None}
        modes = {**known.modes, **dict.fromkeys(files, mode)}
        self.branches[branch] = self.add(Commit(kept, (head,) if head else (), message, modes=modes))
        return self.branches[branch]

    def amend(self, branch: str, files: Mapping[str, bytes], *, reset_author: bool = False) -> None:
        """What a person changes in the last commit, whose message stays, and whose author may."""
        last = self.commits[self.branches[branch]]
        author = PERSON if reset_author else last.author
        changed = replace(last, files={**last.files, **files}, author=author, committer=PERSON)
        self.branches[branch] = self.add(changed)

    def content(self, branch: str, path: str = "Dockerfile") -> str:
        return self.commits[self.branches[branch]].files[path].decode()

    def merge(self, number: int) -> None:
        request = self.requests[number]
        head = self.branches.get(request.branch, request.head)
        self.branches[request.base or self.trunk] = head
        merged = replace(request, head=head, is_open=False, is_merged=True)
        self.requests[number] = replace(merged, merge_commit=head, merge_node=f"C_{self.id}_{head}")

    def build(
        self, commit: str, status: str = "completed", conclusion: str | None = "success", **values: Any
    ) -> None:
        """What a run on a commit shows, the next one of its workflow."""
        known = {"path": f"{WORKFLOWS}build.yml", "event": "push", "url": f"https://forge/{self.name}/build"}
        run = BuildRun(status=status, conclusion=conclusion, commit=commit, **known | values)
        earlier = [each for runs in self.builds.values() for each in runs if each.path == run.path]
        self.builds.setdefault(commit, []).append(replace(run, number=len(earlier) + 1))

    def close(self, number: int) -> None:
        request = self.requests[number]
        head = self.branches.get(request.branch, request.head)
        self.requests[number] = replace(request, head=head, is_open=False)

    def reopen(self, number: int) -> None:
        """Opens a closed pull request again, where the forge lets people: its branch stands as it did, and no other
        is open from it."""
        request = self.requests[number]
        others = [each for each in self.requests.values() if each.is_open and each.branch == request.branch]
        if not request.is_merged and not others and self.branches.get(request.branch) == request.head:
            self.requests[number] = replace(request, is_open=True)
            self.opened_again.add(number)

    def edit(self, number: int, **values: Any) -> None:
        self.requests[number] = replace(self.requests[number], **values)

    def rename_trunk(self, name: str) -> None:
        """Open pull requests into it follow by themselves."""
        self.branches[name] = self.branches.pop(self.trunk)
        for request in [each for each in self.requests.values() if each.is_open and each.base == self.trunk]:
            self.edit(request.number, base=name)
        self.trunk = name

    def switch_trunk(self, name: str) -> None:
        """Another branch, made from it, is the default one; pull requests stay as they are."""
        self.branches.setdefault(name, self.branches[self.trunk])
        self.trunk = name

    def conclude(self, number: int, conclusion: str | None, status: str = "completed") -> None:
        self.runs[number] = replace(self.runs[number], status=status, conclusion=conclusion)

    def show(self, workflow: str, *runs: Run) -> None:
        """Runs of a workflow that are there, whoever has started them."""
        for run in runs:
            self.runs[run.id], self.started[run.id] = run, workflow

    def line_of(self, sha: str) -> set[str]:
        """A commit and all that it comes after."""
        found, left = set[str](), [sha]
        while left:
            at = left.pop()
            if at in self.commits and at not in found:
                found.add(at)
                left += self.commits[at].parents
        return found

    def later(self, sha: str) -> list[str]:
        """The commits of the trunk that have come since, the oldest first."""
        found: list[str] = []
        at: str | None = self.branches[self.trunk]
        while at is not None and at != sha:
            found.append(at)
            at = next(iter(self.commits[at].parents), None)
        return found[::-1] if at == sha else []

    def ran(self, file: str, event: str, at: datetime, conclusion: str | None = "success") -> None:
        """A run of the default branch that somebody or something else started."""
        run = PastRun(at, event, self.trunk, conclusion, f"https://forge/{self.name}/{file}/{at:%Y%m%d%H%M}")
        self.history.setdefault(file, []).append(run)

    def has_workflow(self, file: str) -> bool:
        head = self.branches.get(self.trunk)
        return file in self.pipelines or (head is not None and WORKFLOWS + file in self.commits[head].files)

    def runs_of(self, file: str) -> list[PastRun]:
        """Newest first."""
        dispatched = [
            PastRun(run.created_at, "workflow_dispatch", self.trunk, run.conclusion, run.url)
            for number, run in self.runs.items()
            if self.started.get(number) == file and run.created_at is not None
        ]
        return sorted([*dispatched, *self.history.get(file, ())], key=lambda run: run.at, reverse=True)

    def add(self, commit: Commit) -> str:
        self.commits[commit.sha] = commit
        return commit.sha
