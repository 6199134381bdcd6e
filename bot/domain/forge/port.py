"""The port to the forge: what the stages ask of it, how it names its pauses, and what it does not show."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.failure import Failure, Gone, Trouble
from bot.domain.forge.actions import ActionCommit, ActionTag
from bot.domain.forge.branches import BranchChange, Tip
from bot.domain.forge.looks import BranchLook, Followed, OwnWord, Silence
from bot.domain.forge.pull_requests import NOTHING_WISHED, Granted, OwnRequest, PullRequest, RequestChange, Wishes
from bot.domain.forge.runs import Artifact, BuildRun, FailedJob, Run
from bot.domain.repositories.builds import LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.issue import MARK, Issue
from bot.domain.repositories.repository import GitTree, Identity, Repository, owner_of
from bot.domain.repositories.surroundings import EnvironmentProtection


@dataclass(frozen=True, slots=True)
class ForgeHost:
    """The forge's name; with `by_owner` each owner has limits of its own, as the installations of an App have."""

    name: str = "github"
    by_owner: bool = False

    @property
    def whole(self) -> str | None:
        """The name for all repositories; None where each owner has limits of its own."""
        return None if self.by_owner else self.name

    def of(self, repository: str) -> str:
        """Returns the name of the forge for one repository, which is called `owner/name`."""
        return f"{self.name} ({owner_of(repository)})" if self.by_owner else self.name


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of an upload: it is still worked on, it is shown now, or `errors` say why it is not."""

    is_pending: bool = False
    errors: tuple[str, ...] = ()


class ShowsRepositories(Protocol):
    """Lists repositories, and reads trees and files."""

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        """All repositories of the named organisations and users; None for whoever there is."""
        ...

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        """Those of `owners` of whose repositories the last listing could tell nothing, with why."""
        ...

    async def grants(self) -> Mapping[str, Mapping[str, str]] | None:
        """By owner, in lower case, what the last listing found granted there: names of rights, each with its level.
        None where that cannot be told; an owner who has shut the bot out is not in it."""
        ...

    async def sees_others(self, repository: Identity) -> bool:
        """Whether the grant that this repository is asked with still sees its owner's repositories.

        Only then is gone what it does not show. Never of a token, which does not tell what was taken from it.
        """
        ...

    async def tree(self, repository: Identity, ref: str) -> GitTree | None:
        """The whole tree of a branch or tree sha; None for a repository without commits."""
        ...

    async def subtree(self, repository: Identity, sha: str) -> GitTree:
        """One folder of a tree, for trees that the forge cuts short."""
        ...

    async def blob(self, repository: Identity, sha: str) -> bytes:
        """A file's content, checked against its name."""
        ...

    async def blobs(self, repository: Identity, shas: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of many files by sha, checked against their names."""
        ...

    async def environments(self, repository: Identity) -> Mapping[str, EnvironmentProtection]:
        """What each environment asks of deployments, by name in lower case."""
        ...


class ShowsBranches(Protocol):
    """Reads what branches, commits and pull requests are like, of many at once where that can be."""

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        """What up to `MOST_STANDINGS` repositories say of themselves, in one request; what is gone is not in it."""
        ...

    async def own_requests(self, repositories: Sequence[Identity]) -> Mapping[Identity, Sequence[OwnRequest]]:
        """The bot's own pull requests that are open, and the latest that were merged, in up to `MOST_STANDINGS`
        repositories of one owner, in one request; of what is not shown nothing is in it."""
        ...

    async def look(
        self,
        repository: Identity,
        branch: str,
        paths: Sequence[str],
        wishes: Wishes = NOTHING_WISHED,
    ) -> BranchLook:
        """All that is needed to bring a pull request from `branch` to its wanted content, and to what is wished."""
        ...

    async def tips(self, repository: Identity, commits: Sequence[str], paths: Sequence[str]) -> Mapping[str, Tip]:
        """Files of up to `MOST_TIPS` commits, by commit; what is gone is not in it."""
        ...

    async def action_commits(
        self, repository: Identity, actions: Sequence[ActionTag]
    ) -> Mapping[ActionTag, ActionCommit]:
        """Where the tags of public actions point to, asked for on behalf of `repository`; what is not there is not
        in it."""
        ...

    async def pull_request(self, repository: Identity, number: int) -> PullRequest: ...

    async def follow(self, pull_requests: Sequence[str], runs: Sequence[str]) -> Followed:
        """How far many pull requests and runs have come, by node id."""
        ...


class ChangesPullRequests(Protocol):
    """Makes commits, moves branches, opens and closes pull requests, and grants what is wished for them."""

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

    async def upload_findings(self, repository: Identity, commit: str, branch: str, sarif: bytes) -> str:
        """Gives code scanning a SARIF log for a commit of a branch; the upload's name, as it is taken in later.

        Raises `Failure` where code scanning takes none.
        """
        ...

    async def taken_in(self, repository: Identity, upload: str) -> TakenIn:
        """What became of an upload of findings; raises `Failure` where the forge knows none of that name."""
        ...

    async def delete_branch(self, repository: Identity, branch: str, head: str) -> None:
        """Deletes a branch that points to the commit `head`; raises `BranchMoved` where it does not."""
        ...

    async def grant(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> Granted:
        """Adds labels and assignees, asks for reviews, and keeps what is there; lets it merge by itself, or not.

        What meets its requirements already is merged, or enters the queue, at once.
        """
        ...


class KeepsIssues(Protocol):
    """Finds, opens and changes the bot's own issues."""

    async def find_issue(self, repository: Identity, label: str, mark: str = MARK) -> Issue | None:
        """The bot's own open issue with this label and mark, None where there is none."""
        ...

    async def issue(self, repository: Identity, number: int) -> Issue | None:
        """Reads an issue; None where it is there no longer."""
        ...

    async def open_issue(self, repository: Identity, title: str, body: str, label: str) -> Issue: ...

    async def change_issue(self, repository: Identity, number: int, body: str, *, is_open: bool) -> None: ...


class RunsWorkflows(Protocol):
    """Starts workflows, and shows runs and what they have built."""

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

    async def started_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        """Runs of a workflow created at or after `since`, whatever started them, oldest first; on any branch where
        `branch` is None."""
        ...

    async def contains(self, repository: Identity, commit: str, earlier: str) -> bool:
        """Whether a commit, or the tip of a branch, is `earlier` or comes after it; not where the forge does not
        know one of them."""
        ...

    async def run(self, repository: Identity, run: int) -> Run: ...

    async def first_failure(self, repository: Identity, run: int) -> FailedJob | None:
        """Why a run has failed; None where no job of it did."""
        ...

    async def artifacts(self, repository: Identity, run: int) -> list[Artifact]:
        """What a run has left behind, the newest first."""
        ...

    async def artifact_address(self, repository: Identity, artifact: int) -> str:
        """Where the archive of an artifact can be fetched for a minute or so, by whoever knows the address."""
        ...

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

    async def builds(
        self, commits: Sequence[str], *, later: bool = False
    ) -> Mapping[str, Sequence[Sequence[BuildRun]] | Failure]:
        """The runs on many commits of default branches, by the commits' node ids; what is gone is not in it.

        With `later` also those on each commit that has come since, in that order: a push may bring several
        commits, and starts runs on the last one only.
        """
        ...


class Forge(ShowsRepositories, ShowsBranches, ChangesPullRequests, KeepsIssues, RunsWorkflows, Protocol):
    """What the stages ask of the forge. Every method raises `Failure`.

    A repository is read by its node id where that is known, and written under the name that such a read has told.
    No write is sent twice: after a lost answer the next attempt looks first.
    """

    async def serving(self, repository: Identity) -> "Forge":
        """The forge as it is asked about several things of this repository's owner at once."""
        ...


async def told_gone(failure: Failure, repository: Identity, forge: Forge) -> Failure:
    """The failure, as `Gone` where it is that nothing is shown and the grant sees the owner's others.

    The forge answers the same for what was deleted and for what the credentials may not see any more; where it does
    not answer this, nobody can tell.
    """
    if failure.trouble is not Trouble.MISSING:
        return failure
    try:
        return Gone(failure) if await forge.sees_others(repository) else failure
    except Failure:
        return failure
