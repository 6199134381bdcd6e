"""The port to the forge: what the stages ask of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.forge.branches import BranchChange, Tip
from bot.domain.forge.looks import BranchLook, FollowedRequests, OwnWord, Silence
from bot.domain.forge.pull_requests import NOTHING_WISHED, Granted, OwnRequest, PullRequest, RequestChange, Wishes
from bot.domain.repositories.issue import MARK, Issue
from bot.domain.repositories.repository import GitTree, Identity, Repository
from bot.domain.running.records import DeploymentRecord
from bot.domain.sight import KnowsItsSight


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

    async def tree(self, repository: Identity, ref: str, known: str | None = None) -> GitTree | None:
        """The whole tree of a branch or tree sha; None for a repository without commits. Of the tree that is
        `known` the entries may be left out, where they would have to be asked for by themselves."""
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

    async def pull_request(self, repository: Identity, number: int) -> PullRequest: ...

    async def follow_requests(self, pull_requests: Sequence[str]) -> FollowedRequests:
        """How far many pull requests have come, by node id."""
        ...

    async def contains(self, repository: Identity, commit: str, earlier: str) -> bool:
        """Whether a commit, or the tip of a branch, is `earlier` or comes after it; not where the forge does not
        know one of them."""
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

    async def record_deployments(
        self, home: Identity, cluster: str, environment: str, records: Sequence[DeploymentRecord]
    ) -> Mapping[str, str]:
        """Writes where images of the owner of `home` run; what was not taken, by the record's name, with why.

        Raises `Failure` where the forge keeps no such records.
        """
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


class Forge(ShowsRepositories, ShowsBranches, ChangesPullRequests, KeepsIssues, KnowsItsSight, Protocol):
    """What the stages ask of the forge. Every method raises `Failure`.

    A repository is read by its node id where that is known, and written under the name that such a read has told.
    No write is sent twice: after a lost answer the next attempt looks first.
    """

    async def serving(self, repository: Identity) -> "Forge":
        """The forge as it is asked about several things of this repository's owner at once."""
        ...
