"""The forge, where repositories live and pull requests are made: what it shows, what is asked of it, its port."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.builds import LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.issue import MARK, Issue
from bot.domain.repositories.repository import Identity, Repository, Tree
from bot.domain.rollouts.terms import MergeMethod

CLOCKS_DIFFER_BY = timedelta(seconds=5)
"""A run may bear a time a little before the one when it was asked for."""

NO_COMMIT = "0" * 40
"""Git's name for a commit that is none."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """`branch` is the head branch without its owner; `head` the commit that it points to.

    `node_id` is by what it can be asked for together with others, `merge_node` the same for its merge commit.
    `is_conflicted` is False until the forge has found out.
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
    node_id: str | None = None
    assignees: tuple[str, ...] = ()
    is_draft: bool = False
    merge_node: str | None = None
    merged_at: datetime | None = None
    is_to_merge: bool = False
    """It merges by itself once nothing stands in the way, or is in a merge queue."""
    is_to_merge_by_us: bool = False
    """The same, and the bot has asked for it."""


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
class PullRequestState:
    """How far a pull request has come, as a look at many at once tells it."""

    number: int
    url: str
    is_open: bool
    is_merged: bool
    is_conflicted: bool = False
    merge_commit: str | None = None
    merge_node: str | None = None
    merged_at: datetime | None = None
    labels: tuple[str, ...] = ()
    is_ready: bool = False
    """Nothing that the forge requires stands in the way of a merge."""
    is_to_merge: bool = False


@dataclass(frozen=True, slots=True)
class RunState:
    status: str
    conclusion: str | None


@dataclass(frozen=True, slots=True)
class BuildRun:
    """A run on a commit of the default branch: of which workflow, and what has started it (push, schedule, …)."""

    path: str
    event: str
    status: str
    conclusion: str | None
    url: str

    @property
    def file(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Followed:
    """What a look at many pull requests and runs at once has shown, by node id; what is gone is not in it."""

    pull_requests: Mapping[str, PullRequestState]
    runs: Mapping[str, RunState]


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What a repository says of itself at this moment.

    `identity` has the name that it bears now. `config` is the file in which it says what it wants of the bot, None
    where there is none. `read_only` says why nothing can be written (archived, locked), None where it can.
    """

    identity: Identity
    default_branch: str | None
    config: bytes | None = None
    read_only: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wished for a pull request: labels, or that they go, reviews by people and teams (without owner), whom
    it is assigned to, and that it merges by itself, or does so no more."""

    labels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    unlabel: tuple[str, ...] = ()
    merge: MergeMethod = MergeMethod.NEVER
    no_merge: bool = False

    def __bool__(self) -> bool:
        return self != Wishes()


@dataclass(frozen=True, slots=True)
class WishIds:
    """By which ids the forge knows what was wished for; None for what was looked for and is not there."""

    labels: Mapping[str, str | None] = field(default_factory=dict)
    people: Mapping[str, str | None] = field(default_factory=dict)
    teams: Mapping[str, str | None] = field(default_factory=dict)


_BOTS = {"renovate": "Renovate", "dependabot": "Dependabot"}


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """An open pull request from another branch of the repository; `author` is a login."""

    number: int
    url: str
    node_id: str
    branch: str
    head: str
    author: str

    @property
    def bot(self) -> str | None:
        """Which other bot made it, by its account or by how it names branches; None for a person's."""
        names = (self.author.lower().removesuffix("[bot]"), self.branch.partition("/")[0])
        return next((_BOTS[name] for name in names if name in _BOTS), None)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a merge into the default branch has to pass: checks that must be green, a queue.

    `can_wait` tells whether a pull request can be set to merge by itself later.
    """

    requires_checks: bool = False
    has_queue: bool = False
    can_wait: bool = False


@dataclass(frozen=True, slots=True)
class BranchLook:
    """All that a pull request's branch needs to be known for, read in one go.

    `trunk` is the tip of the default branch, None in a repository without commits; `branch` that of the branch,
    None where there is none. `pull_requests` are all from that branch, newest first; `others` are open ones from
    other branches.
    """

    standing: Standing
    trunk: Tip | None
    branch: Tip | None
    pull_requests: tuple[PullRequest, ...] = ()
    wish_ids: WishIds = WishIds()
    gate: Gate = Gate()
    others: tuple[OtherRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchChange:
    """A commit of `files` on `onto`, to which `branch` moves if it still is at `before` (None: if there is none).

    `onto_tree` is the tree of `onto`.
    """

    branch: str
    before: str | None
    onto: str
    onto_tree: str
    files: tuple[FileChange, ...]
    message: str


@dataclass(frozen=True, slots=True)
class RequestChange:
    """The pull request from `branch`: a new one into the branch `onto`, or new text for `current`.

    Where `title` or `body` is None, that of `current` stays as it is. A new one may begin as a draft.
    """

    branch: str
    onto: str
    current: PullRequest | None
    title: str | None
    body: str | None
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the forge would not do of that which a pull request can do without."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Granted:
    """What came of wishes; `is_to_merge` where the pull request merges by itself now, or has been merged."""

    refused: tuple[Refusal, ...] = ()
    is_to_merge: bool = False


class BranchMoved(Failure):
    """The branch is not where it was when it was looked at; nothing was written over that."""

    def __init__(self, branch: str, said: str, where: str = "") -> None:
        super().__init__(
            Trouble.CONFLICT,
            f"{branch} was moved by somebody else, or a rule of the repository keeps it ({said})",
            where=where,
            advice="the next attempt looks again",
        )


class BranchRefused(Failure):
    """A rule of the repository does not let the bot make or move the branch, or commit to it."""

    def __init__(self, branch: str, rule: str, advice: str, where: str = "") -> None:
        super().__init__(
            Trouble.DENIED, f"a rule of the repository refuses {branch}: {rule}", where=where, advice=advice
        )


class FilesDenied(Failure):
    """The credentials may change the repository, but not the files under `folder`, for want of `right`."""

    def __init__(self, folder: str, right: str, where: str = "") -> None:
        super().__init__(
            Trouble.DENIED, f"the right to change {folder} is missing", where=where, advice=f"grant {right}"
        )
        self.folder = folder
        self.right = right


class Moved(Failure):
    """The repository is reached under another name now: it was renamed or transferred."""

    def __init__(self, where: str) -> None:
        super().__init__(
            Trouble.CONFLICT,
            "the repository has another name now",
            where=where,
            advice="the next attempt looks it up again",
        )


class Forge(Protocol):
    """What the stages ask of the forge. Every method raises `Failure`.

    A repository is read by its node id where that is known, and written under the name that such a read has told.
    No write is sent twice: after a lost answer the next attempt looks first.
    """

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        """All repositories of the named organisations and users; None for whoever there is."""
        ...

    async def silent(self, owners: Collection[str]) -> Mapping[str, str]:
        """Those of `owners` of whose repositories the last listing could tell nothing, with why."""
        ...

    async def serving(self, repository: Identity) -> "Forge":
        """The forge as it is asked about several things of this repository's owner at once."""
        ...

    async def tree(self, repository: Identity, ref: str) -> Tree | None:
        """The whole tree of a branch or tree sha; None for a repository without commits."""
        ...

    async def subtree(self, repository: Identity, sha: str) -> Tree:
        """One folder of a tree, for trees that the forge cuts short."""
        ...

    async def blob(self, repository: Identity, sha: str) -> bytes:
        """A file's content, checked against its name."""
        ...

    async def blobs(self, repository: Identity, shas: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of many files by sha, checked against their names."""
        ...

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, Standing]:
        """What up to `MOST_STANDINGS` repositories say of themselves, in one request; what is gone is not in it."""
        ...

    async def look(
        self,
        repository: Identity,
        branch: str,
        paths: Sequence[str],
        wishes: Wishes = Wishes(),
    ) -> BranchLook:
        """All that is needed to bring a pull request from `branch` to its wanted content, and to what is wished."""
        ...

    async def tips(self, repository: Identity, commits: Sequence[str], paths: Sequence[str]) -> Mapping[str, Tip]:
        """Files of up to `MOST_TIPS` commits, by commit; what is gone is not in it."""
        ...

    async def prepare(self, repository: Identity, change: BranchChange) -> str | None:
        """Makes a commit aside where the branch cannot take it directly; its sha, else None. No branch moves."""
        ...

    async def carry_out(
        self, repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange
    ) -> PullRequest:
        """Moves the branch, and opens the pull request or changes its text, in one request.

        Raises `BranchMoved` where the branch is not where `change` says, `FilesDenied`.
        """
        ...

    async def close_pull_request(self, repository: Identity, request: PullRequest, *, body: str) -> None: ...

    async def delete_branch(self, repository: Identity, branch: str, at: str) -> None:
        """Deletes a branch that points to the commit `at`; raises `BranchMoved` where it does not."""
        ...

    async def grant(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> Granted:
        """Adds labels and assignees, asks for reviews, and keeps what is there; lets it merge by itself, or not.

        What has passed the gate already is merged, or enters the queue, at once.
        """
        ...

    async def find_issue(self, repository: Identity, label: str, mark: str = MARK) -> Issue | None:
        """The bot's own open issue with this label and mark, None where there is none."""
        ...

    async def issue(self, repository: Identity, number: int) -> Issue | None:
        """None where it is there no longer."""
        ...

    async def open_issue(self, repository: Identity, title: str, body: str, label: str) -> Issue: ...

    async def change_issue(self, repository: Identity, number: int, body: str, *, is_open: bool) -> None: ...

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        """Starts a workflow; the run's id where the forge tells it, else None."""
        ...

    async def dispatched_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        """Dispatched runs of a workflow created at or after `since`, oldest first."""
        ...

    async def started_runs(self, repository: Identity, workflow: str, *, since: datetime) -> list[Run]:
        """Runs of a workflow created at or after `since`, whatever started them, oldest first."""
        ...

    async def run(self, repository: Identity, run: int) -> Run: ...

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        """A workflow by its file name; None where there is no such file on the default branch."""
        ...

    async def latest_runs(self, workflows: Sequence[str]) -> Mapping[str, LatestRuns]:
        """The latest runs of many workflows, by node id, in few requests; what is gone is not in it."""
        ...

    async def past_runs(self, repository: Identity, workflow: str, branch: str) -> tuple[PastRun, ...]:
        """The runs of one workflow that tell how its builds ended, further back than `latest_runs`.

        The latest ones of the branch, the latest that succeeded, and the latest that its schedule started.
        """
        ...

    async def pull_request(self, repository: Identity, number: int) -> PullRequest: ...

    async def follow(self, pull_requests: Sequence[str], runs: Sequence[str]) -> Followed:
        """How far many pull requests and runs have come, by node id."""
        ...

    async def builds(
        self, commits: Sequence[str], *, later: bool = False
    ) -> Mapping[str, Sequence[Sequence[BuildRun]]]:
        """The runs on many commits of default branches, by the commits' node ids; what is gone is not in it.

        With `later` also those on each commit that has come since, in that order: a push may bring several
        commits, and starts runs on the last one only.
        """
        ...


def host_of(host: str, repository: str, *, by_owner: bool) -> str:
    """The name under which the loop knows that the forge pauses: for all, or only for one owner's repositories."""
    return f"{host} ({repository.partition('/')[0].lower()})" if by_owner else host


MOST_TIPS = 10
"""Commits whose files are asked for at once."""
MOST_STANDINGS = 50
"""Repositories in one look at what they say of themselves."""
