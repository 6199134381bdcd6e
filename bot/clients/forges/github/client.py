"""GitHub as the forge, and its Actions as the builder: each question one call and one value."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from bot.clients.forges.github import deployment_records, files
from bot.clients.forges.github.actions import action_tags, builds, code_scanning, environments, workflows
from bot.clients.forges.github.bulk import Bulk
from bot.clients.forges.github.connection.connections import AppCredentials, GitHubAccess, TokenCredentials
from bot.clients.forges.github.connection.owners import listed_each
from bot.clients.forges.github.connection.shapes import repository_of, rows, shaped, tree_of
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.files import Files, chosen_files
from bot.clients.forges.github.following import Following
from bot.clients.forges.github.pull_requests import commits, granting, issues, looking, pull_request, tips, writing
from bot.clients.forges.github.pull_requests.rules import RulesAhead
from bot.clients.http.client import Observer
from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.runs import Artifact, BuildRun, FailedJob, FollowedRuns, MergedCommit, Run
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, Tip
from bot.domain.forge.looks import BranchLook, FollowedRequests, OwnWord, Silence
from bot.domain.forge.port import TakenIn
from bot.domain.forge.pull_requests import NOTHING_WISHED, Granted, OwnRequest, PullRequest, RequestChange, Wishes
from bot.domain.forge.refusals import RepositoryMoved
from bot.domain.repositories.builds import LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.issue import MARK, Issue
from bot.domain.repositories.repository import GitTree, Identity, Repository, owner_of
from bot.domain.repositories.surroundings import EnvironmentProtection
from bot.domain.running.records import DeploymentRecord

T = TypeVar("T")


class GitHub:
    """Every method raises `Failure`. It remembers how GitHub wants to be asked, and of what it said only the
    rules of branches, for a while."""

    def __init__(self, access: GitHubAccess, clock: Clock, observer: Observer | None = None) -> None:
        self._transport = Transport(access, clock, observer)
        self._blobs = files.GatheredBlobs(self._transport)
        self._following = Following(Bulk(self._transport))
        self._builds = builds.BuildsLook(Bulk(self._transport))
        self._dispatching = workflows.Dispatching(self._transport)
        self._rules = RulesAhead(self._transport, clock)
        self._as_app = access.credentials.is_of_app
        self._silent: Mapping[str, Silence] = {}

    async def close(self) -> None:
        await self._transport.close()

    def sign_in_as(self, credentials: TokenCredentials | AppCredentials) -> None:
        self._transport.sign_in_as(credentials)

    # Reading the fleet

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        """All repositories of the installation, or of the named organisations and users (100 to a request).

        None for `owners` means whoever there is, which only an App's installation can tell. Raises `Failure`.
        """
        if self._as_app:
            return await self._list_repositories("/installation/repositories", key="repositories")
        if owners is None:
            raise Failure(
                Trouble.MALFORMED,
                "a token cannot list repositories whose owner is left open",
                where="github.repositories.include",
                advice='write "OWNER/*" for each organisation or user, or use a GitHub App',
            )
        repositories, self._silent = await listed_each(owners, str.lower, self._list_owned)
        return repositories

    async def server_time(self) -> datetime | None:
        """What time it is by GitHub's clock; an Enterprise Server that limits nobody has no such page: None."""
        try:
            return await self._transport.server_time("/rate_limit")
        except Failure as failure:
            if failure.trouble is Trouble.MISSING:
                return None
            raise

    async def login(self) -> str:
        """Whose token it is, in lower case. REST's `/user` is closed to an installation's token."""
        graph = await self._transport.query("query login { viewer { login } }", {})
        graph.check()
        with shaped("user"):
            return str(graph.data["viewer"]["login"]).lower()

    async def files(self, repositories: Sequence[Identity], paths: Sequence[str]) -> Files:
        return await chosen_files(self._transport, repositories, paths)

    async def other_requests(self, repositories: Sequence[Identity]) -> pull_request.OtherRequests:
        return await pull_request.other_requests(self._transport, repositories)

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        """Whoever could not be listed. What a token does not show it cannot tell from what is not there."""
        return dict(self._silent)

    async def grants(self) -> None:
        """What a token may do shows only when it is used."""

    async def sees_others(self, repository: Identity) -> bool:
        if not self._as_app:
            return False
        page = await self._transport.read("/installation/repositories", {"per_page": 1})
        return bool(rows(page, "repositories"))

    async def serving(self, repository: Identity) -> "GitHub":
        return self

    async def _list_owned(self, owner: str) -> list[Repository]:
        try:
            return await self._list_repositories(f"/orgs/{quote(owner)}/repos", {"type": "all"})
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING:
                raise
        # No organisation. The token's own user sees private repositories too, of others only the public ones.
        if await self.login() == owner.lower():
            return await self._list_repositories("/user/repos", {"affiliation": "owner"})
        try:
            return await self._list_repositories(f"/users/{quote(owner)}/repos", {"type": "owner"})
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING:
                raise
            raise Failure(
                Trouble.MISSING,
                f"there is no organisation or user {owner!r} that this token may see",
                where="github.repositories.include",
                advice="check the name, and that the token is authorised for the organisation",
                status=failure.status,
            ) from failure

    async def _list_repositories(
        self, path: str, parameters: Mapping[str, Any] | None = None, key: str | None = None
    ) -> list[Repository]:
        repositories: list[Repository] = []
        async for listed_at, page in self._transport.dated_pages(path, parameters):
            with shaped("list of repositories"):
                repositories += [repository_of(row, listed_at) for row in rows(page, key)]
        return repositories

    async def tree(self, repository: Identity, ref: str, known: str | None = None) -> GitTree | None:
        return await self._by_name(repository, lambda identity: self._tree(identity, ref, {"recursive": "1"}))

    async def subtree(self, repository: Identity, sha: str) -> GitTree:
        tree = await self._by_name(repository, lambda identity: self._tree(identity, sha, None))
        if tree is None:
            raise Failure(Trouble.MISSING, f"there is no tree {sha[:12]}", where=repository.name)
        return tree

    async def _tree(self, repository: Identity, ref: str, parameters: Mapping[str, Any] | None) -> GitTree | None:
        try:
            data = await self._transport.read(
                f"/repos/{repository.name}/git/trees/{quote(ref, safe='')}", parameters
            )
        except Failure as failure:
            if failure.status == 409:
                return None
            raise
        with shaped("tree"):
            return tree_of(data)

    async def _by_name(self, repository: Identity, ask: Callable[[Identity], Awaitable[T]]) -> T:
        """What only REST tells; a repository with another name now is looked up by its node id, and asked again."""
        try:
            return await ask(repository)
        except RepositoryMoved:
            if repository.node_id is None:
                raise
            name = await looking.current_name(self._transport, repository.node_id)
            return await ask(Identity(name, repository.node_id))

    async def blob(self, repository: Identity, sha: str) -> bytes:
        return await self._by_name(repository, lambda identity: files.blob(self._transport, identity, sha))

    async def blobs(self, repository: Identity, shas: Sequence[str]) -> Mapping[str, bytes]:
        return await self._by_name(repository, lambda identity: self._blobs.of(identity, shas))

    # Looking

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        return await looking.standings(self._transport, repositories)

    async def own_requests(self, repositories: Sequence[Identity]) -> Mapping[Identity, Sequence[OwnRequest]]:
        return await pull_request.own_requests(self._transport, repositories)

    async def look(
        self,
        repository: Identity,
        branch: str,
        paths: Sequence[str],
        wishes: Wishes = NOTHING_WISHED,
    ) -> BranchLook:
        return await looking.look(self._transport, repository, branch, paths, wishes, self._rules)

    async def tips(self, repository: Identity, commits: Sequence[str], paths: Sequence[str]) -> Mapping[str, Tip]:
        return await tips.tips(self._transport, repository, commits, paths)

    async def pull_request(self, repository: Identity, number: int) -> PullRequest:
        return await pull_request.pull_request(self._transport, repository, number)

    async def follow_requests(self, pull_requests: Sequence[str]) -> FollowedRequests:
        return await self._following.requests(pull_requests)

    async def contains(self, repository: Identity, commit: str, earlier: str) -> bool:
        return await self._by_name(
            repository, lambda identity: tips.contains(self._transport, identity, commit, earlier)
        )

    # Changing one repository

    async def prepare(self, repository: Identity, change: BranchChange) -> str | None:
        await self._rules.check(repository, change)
        return await commits.prepare(self._transport, repository, self._as_signed(repository, change))

    def _as_signed(self, repository: Identity, change: BranchChange) -> BranchChange:
        """GitHub signs what a token commits through GraphQL alone: where it must, an empty push comes first."""
        keeps = self._as_app or not self._rules.signs(repository, change)
        return change if keeps else replace(change, is_pushed_whole=False)

    async def carry_out(
        self, repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange
    ) -> PullRequest:
        signed = change and self._as_signed(repository, change)
        return await writing.carry_out(self._transport, repository, signed, prepared, request)

    async def close_pull_request(self, repository: Identity, request: PullRequest, *, body: str) -> None:
        await writing.close(self._transport, repository, request, body)

    async def delete_branch(self, repository: Identity, branch: str, head: str) -> None:
        await writing.delete_branch(self._transport, repository, branch, head)

    async def grant(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> Granted:
        return await granting.grant(self._transport, repository, request, wishes, look)

    async def upload_findings(self, repository: Identity, commit: str, branch: str, sarif: bytes) -> str:
        return await code_scanning.upload(self._transport, repository, commit, branch, sarif)

    async def record_deployments(
        self, home: Identity, cluster: str, environment: str, records: Sequence[DeploymentRecord]
    ) -> Mapping[str, str]:
        return await deployment_records.record(self._transport, owner_of(home.name), cluster, environment, records)

    async def taken_in(self, repository: Identity, upload: str) -> TakenIn:
        return await self._by_name(
            repository, lambda identity: code_scanning.taken_in(self._transport, identity, upload)
        )

    # The issue

    async def find_issue(self, repository: Identity, label: str, mark: str = MARK) -> Issue | None:
        return await self._by_name(repository, lambda identity: issues.find(self._transport, identity, label, mark))

    async def issue(self, repository: Identity, number: int) -> Issue | None:
        return await self._by_name(repository, lambda identity: issues.read(self._transport, identity, number))

    async def open_issue(self, repository: Identity, title: str, body: str, label: str) -> Issue:
        return await issues.open_one(self._transport, repository, title, body, label)

    async def change_issue(self, repository: Identity, number: int, body: str, *, is_open: bool) -> None:
        await issues.change(self._transport, repository, number, body, is_open=is_open)

    # The builder

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        return await self._dispatching.dispatch(repository, workflow, ref, inputs)

    async def dispatched_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        return await self._by_name(
            repository,
            lambda identity: workflows.runs_since(
                self._transport, identity, workflow, since, event="workflow_dispatch", branch=branch
            ),
        )

    async def started_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        return await self._by_name(
            repository,
            lambda identity: workflows.runs_since(self._transport, identity, workflow, since, branch=branch),
        )

    async def follow_runs(self, runs: Sequence[str]) -> FollowedRuns:
        return await self._following.runs(runs)

    async def builds(
        self, commits: Sequence[MergedCommit], *, later: bool = False
    ) -> Mapping[str, Sequence[Sequence[BuildRun]] | Failure]:
        return await self._following.builds([each.node_id for each in commits], later=later)

    async def run(self, repository: Identity, run: int) -> Run:
        return await self._by_name(repository, lambda identity: workflows.run(self._transport, identity, run))

    async def first_failure(self, repository: Identity, run: int) -> FailedJob | None:
        return await self._by_name(
            repository, lambda identity: workflows.first_failure(self._transport, identity, run)
        )

    async def artifacts(self, repository: Identity, run: int) -> list[Artifact]:
        return await self._by_name(repository, lambda identity: workflows.artifacts(self._transport, identity, run))

    async def artifact_address(self, repository: Identity, artifact: int) -> str:
        return await self._by_name(
            repository, lambda identity: workflows.artifact_address(self._transport, identity, artifact)
        )

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        return await self._by_name(repository, lambda identity: builds.workflow(self._transport, identity, file))

    async def latest_runs(self, workflows: Sequence[str]) -> Mapping[str, LatestRuns]:
        return await self._builds.latest(workflows)

    async def past_runs(self, repository: Identity, workflow: str, branch: str) -> tuple[PastRun, ...]:
        return await self._by_name(
            repository, lambda identity: builds.past_runs(self._transport, identity, workflow, branch)
        )

    async def environments(self, repository: Identity) -> Mapping[str, EnvironmentProtection]:
        return await self._by_name(
            repository, lambda identity: environments.environments(self._transport, identity)
        )

    async def action_commits(
        self, repository: Identity, actions: Sequence[ActionTag]
    ) -> Mapping[ActionTag, ActionCommit]:
        return await action_tags.action_commits(self._transport, actions)
