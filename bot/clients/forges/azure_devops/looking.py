"""What Azure Repos show of branches and pull requests: a branch with all that belongs to it, or all that are
followed."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.clients.forges.azure_devops.answers import shaped
from bot.clients.forges.azure_devops.names import AzureNode, node_of, ref_of
from bot.clients.forges.azure_devops.pull_requests import (
    CUT_AT,
    goes_in,
    marker_of,
    other_of,
    request_of,
    requirements_of,
    state_of,
)
from bot.clients.forges.azure_devops.repos import Repos
from bot.clients.forges.azure_devops.repositories import identity_of, repository_of
from bot.clients.forges.azure_devops.rights import signed_in_id
from bot.clients.forges.azure_devops.transport import PREVIEW, OrganizationTransport, Query, transport_at
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchFile, Tip
from bot.domain.forge.looks import BranchLook, FollowedRequests
from bot.domain.forge.pull_requests import (
    NOTHING_WISHED,
    MergeRequirements,
    OwnRequest,
    PullRequest,
    PullRequestState,
    Wishes,
)
from bot.domain.repositories.repository import GitTree, Identity, TreeEntry
from bot.domain.rollouts.marker import may_stand_beside

LARGEST_FILE = 1024 * 1024
"""Bytes; nobody writes a larger one by hand."""
_MOST_TREES = 64
_MOST_REQUESTS = 100
"""Of one list."""
_MOST_MADE = 2_000
"""Of a project, newest first; a followed one beyond that is asked for by itself."""
_MOST_OWN = {"active": 100, "completed": 20}
"""Of a repository."""
_MOST_WHOLE = 5
"""Pull requests from one branch whose texts are read to their ends: lists cut them."""


@dataclass(slots=True)
class RequestLooks(Repos):
    """Reads branches and pull requests; `_trees` are some that were read last, whose contents never change.
    `_reviewers` are ids by organisation and name, with when they were looked up; None for a name that nobody has.
    `work_items` are linked to what is opened, by the organisation in lower case."""

    _trees: OrderedDict[str, GitTree] = field(default_factory=OrderedDict, init=False)
    _me: dict[str, str] = field(default_factory=dict, init=False)
    _reviewers: dict[tuple[str, str], tuple[str | None, datetime]] = field(default_factory=dict, init=False)
    work_items: Mapping[str, int] = field(default_factory=dict)

    async def me(self, transport: OrganizationTransport) -> str:
        """The id of who the bot is in an organisation."""
        known = self._me.get(transport.organization)
        if known is None:
            known = self._me[transport.organization] = await signed_in_id(transport)
        return known

    async def look(
        self,
        repository: Identity,
        branch: str,
        paths: Sequence[str],
        wishes: Wishes = NOTHING_WISHED,
    ) -> BranchLook:
        """Some ten requests: nothing here can be asked for together."""
        rows = await self.rows_of([repository])
        node = self.node(repository)
        row = rows.get(node.id)
        if row is None:
            raise Failure(Trouble.MISSING, "the repository is not there", where=repository.name)
        standing = await self.own_word(repository, row)
        if standing.is_archived or standing.head is None or standing.default_branch is None:
            return BranchLook(standing, None, None)
        home, me = standing.identity, await self.me(self.at(repository)[0])
        tip = await self.branch_tip(repository, branch)
        requests = await self._from_branch(home, branch, me)
        active = await self.rows(
            repository, "pullrequests", {"searchCriteria.status": "active", "$top": _MOST_REQUESTS}
        )
        requirements = MergeRequirements()
        if wishes:
            requirements = await self._requirements(repository, standing.default_branch)
        trunk = await self._tip(repository, standing.head, paths, is_asked=False)
        with shaped("list of pull requests", home.name):
            others = [other_of(each, home, node) for each in active if each["sourceRefName"] != ref_of(branch)]
        return BranchLook(
            standing,
            trunk,
            None if tip is None else await self._tip(repository, tip, paths),
            tuple(requests),
            requirements=requirements,
            others=tuple(others),
        )

    async def tips(self, repository: Identity, commits: Sequence[str], paths: Sequence[str]) -> Mapping[str, Tip]:
        tips: dict[str, Tip] = {}
        for commit in commits:
            with what_is_there():
                tips[commit] = await self._tip(repository, commit, paths)
        return tips

    async def pull_request(self, repository: Identity, number: int) -> PullRequest:
        row = await self.shown(repository, f"pullrequests/{number}")
        me = await self.me(self.at(repository)[0])
        with shaped("pull request", repository.name):
            return request_of(row, repository, self.node(repository), me)

    async def own_requests(self, repositories: Sequence[Identity]) -> Mapping[Identity, Sequence[OwnRequest]]:
        """The list of an organisation's repositories, two requests for each project at least, and up to three
        more for each pull request that is found."""
        of_project: dict[tuple[str, str], dict[str, Identity]] = defaultdict(dict)
        for repository in repositories:
            node = self.node(repository)
            of_project[node.organization, node.project][node.id] = repository
        listed: dict[str, list[Mapping[str, Any]]] = {}
        found: dict[Identity, Sequence[OwnRequest]] = {}
        for (organization, project), homes in of_project.items():
            with what_is_there():
                transport = transport_at(self.transports, organization)
                if organization not in listed:
                    listed[organization] = await self.listed(transport)
                found |= await self._own_requests(transport, project, homes, listed[organization])
        return found

    async def follow_requests(self, pull_requests: Sequence[str]) -> FollowedRequests:
        """The list of an organisation's repositories, one request for all of a project that are open, one for each
        that is not, and one more for the policies of each that nothing else keeps."""
        nodes: dict[tuple[str, str], dict[str, AzureNode]] = defaultdict(dict)
        for text in pull_requests:
            with suppress(Failure):  # of another forge, or of none
                node = node_of(text)
                nodes[node.organization, node.project][text] = node
        states: dict[str, PullRequestState] = {}
        unseen: dict[str, Failure] = {}
        for (organization, project), of_project in nodes.items():
            try:
                states |= await self._follow(organization, project, of_project)
            except Failure as failure:
                if failure.trouble.is_passing:
                    raise
                unseen |= dict.fromkeys(of_project, failure)
        return FollowedRequests(states, unseen)

    async def serving(self, repository: Identity) -> "RequestLooks":
        return self

    async def _follow(
        self, organization: str, project: str, nodes: Mapping[str, AzureNode]
    ) -> Mapping[str, PullRequestState]:
        transport = transport_at(self.transports, organization)
        homes = {str(row["id"]): row for row in await self.listed(transport)}
        me = await self.me(transport)
        listed = await _made_by(me, transport, project, "active")
        rows = {str(row.get("pullRequestId")): row for row in listed}
        states: dict[str, PullRequestState] = {}
        for text, node in nodes.items():
            row = rows.get(node.id)
            if row is None:
                with what_is_there():
                    row = await transport.get(f"{project}/_apis/git/pullrequests/{node.id}")
            home = homes.get(str(((row or {}).get("repository") or {}).get("id")))
            if row is None or home is None:
                continue
            with shaped("pull request", organization):
                identity, entry = identity_of(home, organization), repository_of(home, organization)
                request = request_of(row, identity, node, me)
                evaluations = await self._evaluations(transport, node) if goes_in(row) else None
                states[text] = state_of(request, row, evaluations, entry.default_branch, is_disabled=entry.disabled)
        return states

    async def _evaluations(self, transport: OrganizationTransport, node: AzureNode) -> list[Mapping[str, Any]]:
        artifact = f"vstfs:///CodeReview/CodeReviewId/{node.project}/{node.id}"
        query = {"artifactId": artifact, "api-version": PREVIEW}
        return await transport.pages(f"{node.project}/_apis/policy/evaluations", query)

    async def _requirements(self, repository: Identity, branch: str) -> MergeRequirements:
        node = self.node(repository)
        query = {"repositoryId": node.id, "refName": ref_of(branch)}
        transport = self.at(repository)[0]
        return requirements_of(await transport.pages(f"{node.project}/_apis/git/policy/configurations", query))

    async def _from_branch(self, home: Identity, branch: str, me: str) -> list[PullRequest]:
        """All pull requests from a branch, the newest first; some of them with their texts as a whole."""
        query: Query = {
            "searchCriteria.status": "all",
            "searchCriteria.sourceRefName": ref_of(branch),
            "$top": _MOST_REQUESTS,
        }
        listed = await self.rows(home, "pullrequests", query)
        with shaped("list of pull requests", home.name):
            requests = [request_of(row, home, self.node(home), me) for row in listed]
        requests.sort(key=lambda each: each.number, reverse=True)
        whole = [
            await self.pull_request(home, each.number) if number < _MOST_WHOLE and _is_cut(each) else each
            for number, each in enumerate(requests)
        ]
        return [await self._marked(home, each) if each.is_open and each.is_own else each for each in whole]

    async def _marked(self, repository: Identity, request: PullRequest) -> PullRequest:
        """With the marker of its properties, where one may stand there."""
        if not may_stand_beside(request.body):
            return request
        transport, home = self.at(repository)
        shown = await transport.get(f"{home}/pullRequests/{request.number}/properties", {"api-version": PREVIEW})
        with shaped("properties of a pull request", repository.name):
            return replace(request, marker=marker_of(shown))

    async def _own_requests(
        self,
        transport: OrganizationTransport,
        project: str,
        homes: Mapping[str, Identity],
        listed: Sequence[Mapping[str, Any]],
    ) -> Mapping[Identity, tuple[OwnRequest, ...]]:
        """Those in repositories of one project, by their ids; what is not `listed` is left out."""
        me, organization = await self.me(transport), transport.organization
        shown = [repository_of(row, organization) for row in listed]
        trunks = {each.id: each.default_branch for each in shown if each.id in homes and not each.disabled}
        found: dict[str, list[OwnRequest]] = {home: [] for home in trunks if home is not None}
        for status, most in _MOST_OWN.items():
            counted = Counter[str]()
            for row in await _made_by(me, transport, project, status):
                home = str((row.get("repository") or {}).get("id"))
                counted[home] += 1
                if home in found and counted[home] <= most:
                    found[home].append(await self._own(homes[home], row, trunks[home]))
        return {homes[home]: tuple(requests) for home, requests in found.items()}

    async def _own(self, repository: Identity, row: Mapping[str, Any], trunk: str) -> OwnRequest:
        with shaped("list of pull requests", repository.name):
            request = request_of(row, repository, self.node(repository), await self.me(self.at(repository)[0]))
            if _is_cut(request):
                request = await self.pull_request(repository, request.number)
            request = await self._marked(repository, request)
            message = None
            with what_is_there():
                message = await self._own_message(repository, request.head)
            return _own(request, row, trunk, message)

    async def _own_message(self, repository: Identity, commit: str) -> str | None:
        tip = await self._tip(repository, commit, ())
        return tip.message if tip.is_own else None

    async def branch_tip(self, repository: Identity, branch: str) -> str | None:
        """The commit at the end of a branch; the service finds all whose names begin so."""
        rows = await self.rows(repository, "refs", {"filter": ref_of(branch).removeprefix("refs/")})
        return next((str(row["objectId"]) for row in rows if row.get("name") == ref_of(branch)), None)

    async def _tip(self, repository: Identity, commit: str, paths: Sequence[str], *, is_asked: bool = True) -> Tip:
        """A commit with files of it. Who has made it is not told where that is not `is_asked`."""
        row = await self.shown(repository, f"commits/{commit}")
        with shaped("commit", repository.name):
            tree, message = str(row["treeId"]), str(row.get("comment") or "")
            pushed_by = ((row.get("push") or {}).get("pushedBy") or {}).get("id")
        is_own = is_asked and pushed_by == await self.me(self.at(repository)[0])
        return Tip(commit, tree, message, is_own, await self._files(repository, tree, paths))

    async def _files(self, repository: Identity, tree: str, paths: Sequence[str]) -> dict[str, BranchFile]:
        if not paths:
            return {}
        entries = {entry.path: entry for entry in (await self.whole_tree(repository, tree)).entries}
        wanted = [entries[path] for path in dict.fromkeys(paths) if path in entries and entries[path].is_file]
        contents = await self.blobs(repository, [each.sha for each in wanted if each.size <= LARGEST_FILE])
        return {each.path: _file_of(each, contents) for each in wanted}

    async def whole_tree(self, repository: Identity, sha: str) -> GitTree:
        """A tree by its name, with all that is below it."""
        tree = self._trees.get(sha)
        if tree is None:
            tree = await self.tree(repository, sha)
            assert tree is not None, "it is named"
            self._trees[sha] = tree
            while len(self._trees) > _MOST_TREES:
                self._trees.popitem(last=False)
        return tree


async def _made_by(me: str, transport: OrganizationTransport, project: str, status: str) -> list[Mapping[str, Any]]:
    """The pull requests of the bot in a project, the newest first, a hundred with each request."""
    rows: list[Mapping[str, Any]] = []
    for start in range(0, _MOST_MADE, _MOST_REQUESTS):
        query: Query = {
            "searchCriteria.creatorId": me,
            "searchCriteria.status": status,
            "$top": _MOST_REQUESTS,
            "$skip": start,
        }
        page = await transport.page(f"{project}/_apis/git/pullrequests", query)
        rows += page
        if len(page) < _MOST_REQUESTS:
            break
    return rows


@contextmanager
def what_is_there() -> Iterator[None]:
    """What is not there is left out."""
    try:
        yield
    except Failure as failure:
        if failure.trouble is not Trouble.MISSING:
            raise


def _is_cut(request: PullRequest) -> bool:
    return len(request.body) >= CUT_AT


def _file_of(entry: TreeEntry, contents: Mapping[str, bytes]) -> BranchFile:
    return BranchFile(entry.path, entry.sha, contents.get(entry.sha), entry.mode)


def _own(request: PullRequest, row: Mapping[str, Any], trunk: str, message: str | None) -> OwnRequest:
    return OwnRequest(
        *(request.number, request.node_id or "", request.url, request.branch),
        request.base == trunk,
        request.body,
        datetime.fromisoformat(str(row["creationDate"])),
        message,
        request.merged_at,
        request.marker,
    )
