"""A store, a code host and a registry in dictionaries, as far as `act` asks them."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.act import stage
from bot.act.ports import ActOptions, Job
from bot.act.stage import ActTally
from bot.domain.change import Cause, Change
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.forge import FileChange, PullRequest, Run
from bot.domain.image import Head
from bot.domain.rebuild import AWAITING, Action, Rebuild, State, Target
from bot.domain.reference import Base, Reference
from bot.domain.repository import FleetRepository, Tree, TreeEntry, Workflow
from bot.domain.repository_config import RepositoryConfig
from bot.domain.usage import Problem, Replacement
from bot.domain.wanted_digest import Refreshed, WantedDigests
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed
from tests.fakes.queue import StoredRows

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SHOP = "contoso/shop"
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
BRANCH = "freshness/dotnet-aspnet-10.0"


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def reference(letter: str) -> Reference:
    return Reference(ASPNET.name, "10.0", digest(letter))


def change(to: str = "b", **values: Any) -> Change:
    known: dict[str, Any] = {"from_version": "10.0.4", "to_version": "10.0.5"}
    cause = values.pop("cause", Cause.DOTNET_SECURITY)
    return Change(ASPNET, NOON, digest("a"), digest(to), cause, cause, **(known | values))


def rebuild(action: Action = Action.PULL_REQUEST, to: str = "b", **values: Any) -> Rebuild:
    known: dict[str, Any] = {
        "id": 1,
        "rollout": 1,
        "repository": SHOP,
        "state": State.PLANNED,
        "reason": "aspnet:10.0 moved; 10.0 is pinned by digest",
        "targets": (Target(ASPNET, digest("a"), digest(to), (1,)),),
        "replacements": (Replacement(reference("a"), reference(to)),),
        "wave": "rest",
        "due_at": NOON,
        "planned_at": NOON,
    }
    if action is Action.PULL_REQUEST:
        known["branch"] = BRANCH
    if action is Action.DISPATCH:
        known["workflow"] = "weekly-rebuild.yml"
    return Rebuild(action=action, **(known | values))


def member(*workflows: Workflow, name: str = SHOP, **config: Any) -> FleetRepository:
    return FleetRepository(7, name, workflows, RepositoryConfig(**config))


WEEKLY = Workflow(".github/workflows/weekly-rebuild.yml", ("correlation", "reason"))


@dataclass(slots=True)
class Store:
    """Rebuilds as stored, and who has claimed them; `stolen` are those whose lease somebody else has taken."""

    clock: ManualClock
    rows: dict[int, Job] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    stolen: set[int] = field(default_factory=set)
    robbed: set[int] = field(default_factory=set)
    """Whose lease is gone already when the work on them begins to write."""
    taken: set[int] = field(default_factory=set)
    others_open: int = 0

    def add(
        self, added: Rebuild, home: FleetRepository | None = None, *changes: Change, paths: Sequence[str] = ()
    ) -> None:
        chosen = changes or (change(),)
        self.rows[added.id] = Job(added, home or member(), "main", chosen, tuple(paths) or ("Dockerfile",))

    def __getitem__(self, id_: int) -> Rebuild:
        return self.rows[id_].rebuild

    @property
    def jobs(self) -> StoredRows[Job]:
        return StoredRows(self._take, self._put_off, lambda job: job.rebuild.id in self.robbed)

    def _take(self, now: datetime, limit: int) -> list[tuple[Claimed, Job]]:
        due = [
            job
            for job in self.rows.values()
            if job.rebuild.due_at <= now
            and job.rebuild.id not in self.claimed
            and (job.rebuild.state in AWAITING or self._is_outdated(job.rebuild))
        ]
        for job in due[:limit]:
            self.claimed.add(job.rebuild.id)
            counted = replace(job.rebuild, attempts=job.rebuild.attempts + 1)
            self.rows[job.rebuild.id] = replace(job, rebuild=counted)
        taken = [self.rows[job.rebuild.id] for job in due[:limit]]
        return [(Claimed(job.rebuild.id, f"rebuild {job.rebuild.id}", job.rebuild.attempts), job) for job in taken]

    def _put_off(self, job: Job, due_at: datetime, error: str | None, attempted: bool) -> None:
        kept = self[job.rebuild.id]
        changed = replace(
            kept, due_at=due_at, reason=error or kept.reason, attempts=kept.attempts - (not attempted)
        )
        self.rows[kept.id] = replace(self.rows[kept.id], rebuild=changed)
        self.claimed.discard(kept.id)

    @staticmethod
    def _is_outdated(known: Rebuild) -> bool:
        return known.state is State.OPEN and known.facts_version > known.text_version

    async def save_progress(self, rebuild: Rebuild) -> None:
        self._check(rebuild)
        self.rows[rebuild.id] = replace(self.rows[rebuild.id], rebuild=rebuild)

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        self._check(after)
        if succeeded:
            stored = replace(after, attempts=0)
        else:
            kept = self[after.id]
            stored = replace(
                kept, state=after.state, reason=after.reason, due_at=after.due_at, ended_at=after.ended_at
            )
        self.rows[after.id] = replace(self.rows[after.id], rebuild=stored)
        self.claimed.discard(after.id)

    def _check(self, rebuild: Rebuild) -> None:
        if rebuild.id in self.stolen:
            raise LeaseLost("taken over")

    async def runs_taken(self, repository: str) -> set[int]:
        return self.taken

    async def open_pull_requests(self, repository: str) -> int:
        return self.others_open

    async def known_blobs(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        return {}


@dataclass(frozen=True, slots=True)
class Commit:
    files: Mapping[str, bytes]
    parents: tuple[str, ...]
    message: str
    is_amended: bool = False


def _sha(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Host:
    """Repositories as commits, branches and pull requests; `calls` are the writes.

    `failing` names the call that raises, before its effect or, with `after`, once it has happened.
    """

    clock: ManualClock
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    requests: dict[int, PullRequest] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    reviewers: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    inputs: list[Mapping[str, str]] = field(default_factory=list)
    failing: dict[str, Failure] = field(default_factory=dict)
    after: dict[str, Failure] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    """People and teams whom nobody knows."""
    tells_run: bool = True
    gone: bool = False
    trunk: str = "main"

    def commit_to(self, branch: str, files: Mapping[str, bytes], message: str = "by hand") -> str:
        """What a person pushes."""
        head = self.branches.get(branch) or self.branches.get("main")
        known = dict(self.commits[head].files) if head else {}
        sha = self._add(Commit(known | dict(files), (head,) if head else (), message))
        self.branches[branch] = sha
        return sha

    def content(self, branch: str, path: str = "Dockerfile") -> str:
        return self.commits[self.branches[branch]].files[path].decode()

    def merge(self, number: int) -> None:
        request = self.requests[number]
        self.branches["main"] = request.head
        self.requests[number] = replace(request, is_open=False, is_merged=True)

    def amend(self, branch: str, files: Mapping[str, bytes]) -> None:
        """What a person changes in the last commit, whose message and author stay."""
        last = self.commits[self.branches[branch]]
        self.branches[branch] = self._add(replace(last, files={**last.files, **files}, is_amended=True))

    def rename_trunk(self, name: str) -> None:
        self.branches[name] = self.branches.pop(self.trunk)
        self.trunk = name

    def close(self, number: int) -> None:
        self.requests[number] = replace(self.requests[number], is_open=False)

    def _add(self, commit: Commit) -> str:
        sha = _sha(sorted(commit.files.items()), commit.parents, commit.message)
        self.commits[sha] = commit
        return sha

    def _try(self, call: str) -> None:
        if self.gone:
            raise Failure(Trouble.MISSING, "not found", where=SHOP, status=404)
        if call in self.failing:
            raise self.failing[call]

    def _done(self, call: str) -> None:
        self.calls.append(call)
        if call in self.after:
            raise self.after.pop(call)

    async def tree(self, repository: str, ref: str) -> Tree | None:
        self._try("tree")
        files = self.commits[ref].files
        entries = [TreeEntry(path, _blob(content), size=len(content)) for path, content in files.items()]
        return Tree(_sha(ref), tuple(entries))

    async def subtree(self, repository: str, sha: str) -> Tree:
        raise NotImplementedError

    async def blob(self, repository: str, sha: str) -> bytes:
        return next(
            content
            for commit in self.commits.values()
            for content in commit.files.values()
            if _blob(content) == sha
        )

    async def branch_head(self, repository: str, branch: str) -> str | None:
        self._try("branch_head")
        return self.branches.get(branch)

    async def default_branch(self, repository: str) -> str:
        self._try("default_branch")
        return self.trunk

    async def commit(self, repository: str, sha: str) -> tuple[str, tuple[str, ...], str, bool]:
        found = self.commits[sha]
        return sha, found.parents, found.message, found.is_amended

    async def create_commit(
        self, repository: str, *, parent: str, tree: str, files: Sequence[FileChange], message: str
    ) -> str:
        self._try("create_commit")
        changed = {file.path: file.content for file in files}
        sha = self._add(Commit(dict(self.commits[tree].files) | changed, (parent,), message))
        self._done("create_commit")
        return sha

    async def create_branch(self, repository: str, branch: str, sha: str) -> None:
        self._try("create_branch")
        assert branch not in self.branches
        self.branches[branch] = sha
        self._done("create_branch")

    async def move_branch(self, repository: str, branch: str, sha: str) -> None:
        self._try("move_branch")
        self.branches[branch] = sha
        self._done("move_branch")

    async def pull_requests(self, repository: str, branch: str) -> list[PullRequest]:
        self._try("pull_requests")
        found = [
            replace(item, head=self.branches.get(branch, item.head)) if item.is_open else item
            for item in self.requests.values()
            if item.branch == branch
        ]
        return list(reversed(found))

    async def create_pull_request(
        self, repository: str, *, branch: str, onto: str, title: str, body: str
    ) -> PullRequest:
        self._try("create_pull_request")
        if any(item.branch == branch and item.is_open for item in self.requests.values()):
            raise Failure(Trouble.CONFLICT, "a pull request already exists", status=422)
        number = len(self.requests) + 1
        made = PullRequest(
            number, f"https://host/pull/{number}", branch, self.branches[branch], title, body, True, False
        )
        self.requests[number] = made
        self._done("create_pull_request")
        return made

    async def update_pull_request(self, repository: str, number: int, *, title: str, body: str) -> None:
        self._try("update_pull_request")
        self.requests[number] = replace(self.requests[number], title=title, body=body)
        self._done("update_pull_request")

    async def close_pull_request(self, repository: str, number: int, *, body: str) -> None:
        self._try("close_pull_request")
        self.requests[number] = replace(self.requests[number], is_open=False, body=body)
        self._done("close_pull_request")

    async def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> None:
        self._try("add_labels")
        known = self.requests[number]
        self.requests[number] = replace(known, labels=(*known.labels, *labels))
        self._done("add_labels")

    async def request_review(
        self, repository: str, number: int, *, people: Sequence[str], teams: Sequence[str]
    ) -> None:
        self._try("request_review")
        if self.unknown & {*people, *teams}:
            raise Failure(Trouble.CONFLICT, "not a collaborator", status=422)
        self.reviewers.append((tuple(people), tuple(teams)))
        self._done("request_review")

    async def dispatch(self, repository: str, workflow: str, *, ref: str, inputs: Mapping[str, str]) -> int | None:
        self._try("dispatch")
        if ref != self.trunk:
            raise Failure(Trouble.CONFLICT, f"No ref found for: {ref}", status=422)
        self.inputs.append(inputs)
        run = Run(len(self.runs) + 100, "https://host/run", "queued", None, self.clock.now(), "rebuild")
        self.runs[run.id] = run
        self._done("dispatch")
        return run.id if self.tells_run else None

    async def dispatched_runs(
        self, repository: str, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        self._try("dispatched_runs")
        if branch not in (None, self.trunk):
            return []
        return [run for run in self.runs.values() if run.created_at is None or run.created_at >= since]

    async def run(self, repository: str, run: int) -> Run:
        self._try("run")
        return self.runs[run]


@dataclass(slots=True)
class Registry:
    absent: set[str] = field(default_factory=set)
    failing: Failure | None = None
    asked: int = 0

    async def head(self, base: Base) -> Head:
        self.asked += 1
        if self.failing is not None:
            raise self.failing
        if base.tag in self.absent:
            raise Failure(Trouble.MISSING, "manifest unknown", where=str(base))
        return Head(digest("b"), "application/vnd.oci.image.index.v1+json")


def refresh(files: Mapping[str, bytes], wanted: Mapping[str, WantedDigests]) -> Mapping[str, Refreshed]:
    """Every digest of an ordered base, whichever it was; files with `$` are refused."""
    return {
        path: _refreshed(path, data, wanted[path]) if path in wanted else Refreshed(data)
        for path, data in files.items()
    }


def _refreshed(path: str, data: bytes, orders: WantedDigests) -> Refreshed:
    if b"$" in data:
        return Refreshed(data, refused=(Problem(path, 1, "it comes from a variable"),))
    met = set()
    for order in orders.of_bases:
        name = re.escape(str(order.base).encode())
        if re.search(name, data):
            met.add(order.base)
            data = re.sub(name + rb"@sha256:\w+", f"{order.base}@{order.digest}".encode(), data)
    return Refreshed(data, frozenset(met))


@dataclass(slots=True)
class World:
    clock: ManualClock
    store: Store
    host: Host
    registry: Registry
    options: ActOptions = field(default_factory=ActOptions)
    loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self.loop = Loop(self.clock)

    async def tick(self) -> ActTally:
        return await stage.tick(self.store, self.host, self.registry, refresh, self.options, self.loop)

    async def until_it_ends(self, number: int = 1) -> None:
        """Ticks whenever that rebuild is due."""
        while self.store[number].state.awaits_action:
            await self.tick()
            self.clock.move_to(max(self.store[number].due_at, self.clock.now()))

    async def later(self, minutes: float = 120) -> ActTally:
        self.clock.advance(timedelta(minutes=minutes))
        return await self.tick()


def new_world() -> World:
    """A repository whose only Dockerfile stands on digest a."""
    clock = ManualClock(NOON)
    host = Host(clock)
    host.commit_to("main", {"Dockerfile": f"FROM {reference('a')}\n".encode(), "README.md": b"shop\n"})
    return World(clock, Store(clock), host, Registry())
