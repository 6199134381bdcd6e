"""A forge in dictionaries: what the port promises, and what people do there meanwhile.

`tests/integration/forges` holds it against GitHub as the sandbox plays it, by the same tests.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, BranchFile, Tip, scratch_of
from bot.domain.forge.looks import MOST_STANDINGS, BranchLook, FollowedRequests, OwnWord, Silence
from bot.domain.forge.port import TakenIn
from bot.domain.forge.pull_requests import (
    NOTHING_WISHED,
    Granted,
    OtherRequest,
    OwnRequest,
    PullRequest,
    PullRequestState,
    Refusal,
    RequestChange,
    Wishes,
)
from bot.domain.forge.refusals import BranchMoved, BranchQueued, BranchRefused, BranchRule, FilesDenied
from bot.domain.repositories.issue import MARK, Issue
from bot.domain.repositories.repository import GITHUB, GitTree, Identity, Repository, TreeEntry, blob_name
from bot.domain.rollouts.terms import MergeMethod
from bot.domain.running.records import DeploymentRecord
from tests.fakes.builder import FakeBuilder
from tests.fakes.repository import BOT, CONFIG, SHA1, WORKFLOWS, Commit, FakeRepository


@dataclass(slots=True)
class FakeForge(FakeBuilder):
    """A forge that builds what it holds, as GitHub does."""

    opened_at: dict[str, datetime] = field(default_factory=dict)
    """Node id of a pull request → when it was opened."""
    goes_on_merging: bool = False
    """Whether what is to merge by itself cannot be kept from that."""
    may_change_workflows: bool = True
    silent_owners: dict[str, Silence] = field(default_factory=dict)
    deployment_records: dict[tuple[str, str], dict[str, DeploymentRecord]] = field(default_factory=dict)
    """What was recorded, by cluster and environment."""
    unrecordable: set[str] = field(default_factory=set)
    """Names of repositories whose records are not taken."""
    granted: Mapping[str, Mapping[str, str]] | None = None
    hidden: set[str] = field(default_factory=set)
    """Repositories that are shown only where they are the one that is asked for."""
    unknown: set[str] = field(default_factory=set)
    """People and teams whom nobody knows."""
    work_item: int | None = None
    """What is linked to pull requests."""
    forge: str = GITHUB

    # People

    def add(self, name: str, files: Mapping[str, bytes] | None = None, forge: str | None = None) -> FakeRepository:
        home = FakeRepository(str(len(self.homes) + 1), name, forge=forge or self.forge)
        self.homes.append(home)
        if files is not None:
            home.commit_to(home.trunk, files)
        return home

    # The port

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        return self.silent_owners

    async def grants(self) -> Mapping[str, Mapping[str, str]] | None:
        return self.granted

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        self._ask("repositories")
        wanted = None if owners is None else {owner.lower() for owner in owners}
        return [
            Repository(
                home.name,
                home.trunk,
                archived=home.is_archived,
                id=home.id,
                node_id=home.node_id,
                forge=home.forge,
            )
            for home in self.homes
            if not home.is_gone and (wanted is None or home.name.partition("/")[0].lower() in wanted)
        ]

    async def tree(self, repository: Identity, ref: str, known: str | None = None) -> GitTree | None:
        self._ask("tree")
        home = self._read(repository)
        if not home.branches:
            return None
        sha = home.branches.get(ref, ref)
        commit = home.commits[sha]
        entries = [
            TreeEntry(path, blob_name(content, SHA1), commit.modes.get(path, "100644"), size=len(content))
            for path, content in sorted(commit.files.items())
        ]
        return GitTree(sha, tuple(entries))

    async def subtree(self, repository: Identity, sha: str) -> GitTree:
        raise Failure(Trouble.MISSING, f"no tree {sha}", where=repository.name)

    async def blob(self, repository: Identity, sha: str) -> bytes:
        self._ask("blob")
        return self._blob(repository, sha)

    async def blobs(self, repository: Identity, shas: Sequence[str]) -> Mapping[str, bytes]:
        self._ask("blobs")
        return {sha: self._blob(repository, sha) for sha in shas}

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        self._ask("standings")
        assert len(repositories) <= MOST_STANDINGS
        found = {}
        for place, identity in enumerate(repositories):
            home = self._find(identity)
            if home is not None and not (place and home.name in self.hidden):
                found[identity] = self._standing(home)
        return found

    async def own_requests(self, repositories: Sequence[Identity]) -> Mapping[Identity, Sequence[OwnRequest]]:
        self._ask("own_requests")
        assert len(repositories) <= MOST_STANDINGS
        homes = {identity: home for identity in repositories if (home := self._find(identity)) is not None}
        return {
            identity: tuple(self._own_request(home, item) for item in home.requests.values() if _is_shown_own(item))
            for identity, home in homes.items()
            if home.name not in self.hidden
        }

    def _own_request(self, home: FakeRepository, request: PullRequest) -> OwnRequest:
        tip = self._tip_at(home, request.head, ()) if request.is_merged else self._tip(home, request.branch, ())
        return OwnRequest(
            *(request.number, request.node_id or "", request.url, request.branch, request.base == home.trunk),
            *(request.body, self.opened_at.get(request.node_id or "", self.clock.now())),
            commit=tip.message if tip is not None and tip.is_own else None,
            merged_at=(request.merged_at or self.clock.now()) if request.is_merged else None,
            marker=request.marker,
        )

    async def look(
        self,
        repository: Identity,
        branch: str,
        paths: Sequence[str],
        wishes: Wishes = NOTHING_WISHED,
    ) -> BranchLook:
        self._ask("look")
        home = self._read(repository)
        found = [
            replace(item, head=home.branches.get(branch, item.head)) if item.is_open else item
            for item in home.requests.values()
            if item.branch == branch
        ]
        return BranchLook(
            self._standing(home),
            self._tip(home, home.trunk, paths),
            self._tip(home, branch, paths),
            tuple(reversed(found)),
            requirements=home.requirements,
            others=tuple(self._other(home, item) for item in home.requests.values() if _is_other(item, branch)),
        )

    async def tips(self, repository: Identity, commits: Sequence[str], paths: Sequence[str]) -> Mapping[str, Tip]:
        self._ask("tips")
        home = self._read(repository)
        found = {sha: self._tip_at(home, sha, paths) for sha in commits if sha in home.commits}
        return {sha: tip for sha, tip in found.items() if tip is not None}

    async def prepare(self, repository: Identity, change: BranchChange) -> str | None:
        is_plain = all(file.mode == "100644" for file in change.files)
        if is_plain and not change.is_aside and change.before in (None, change.onto):
            return None
        self._ask("prepare")
        home = self._write(repository)
        self._check_files(change)
        sha = home.add(self._made(home, change))
        if is_plain:
            home.branches[scratch_of(change.branch)] = sha
        self._done("prepare")
        return sha

    async def carry_out(
        self, repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange
    ) -> PullRequest:
        self._ask("carry_out")
        home = self._write(repository)
        if change is not None:
            if home.branches.get(change.branch) != change.before:
                raise BranchMoved(change.branch, "it has moved", home.name)
            if any(each.is_queued and each.branch == change.branch for each in home.requests.values()):
                raise BranchQueued(change.branch, home.name)
            self._check_files(change)
            if home.takes_no_branches and change.before is None:
                raise BranchRefused(change.branch, BranchRule.CREATION, home.name)
            home.branches[change.branch] = prepared or home.add(self._made(home, change))
            home.branches.pop(scratch_of(change.branch), None)
            self._try("after the branch moved")
        made = self._bring(home, request)
        self._done("carry_out")
        return made

    async def close_pull_request(self, repository: Identity, request: PullRequest, *, body: str) -> None:
        self._ask("close_pull_request")
        home = self._write(repository)
        home.requests[request.number] = replace(home.requests[request.number], is_open=False, body=body)
        self._done("close_pull_request")

    async def upload_findings(self, repository: Identity, commit: str, branch: str, sarif: bytes) -> str:
        self._ask("upload_findings")
        home = self._write(repository)
        if not home.has_code_scanning:
            raise Failure(Trouble.DENIED, "Advanced Security must be enabled for this repository.", status=403)
        home.uploads.append((commit, branch, sarif))
        self._done("upload_findings")
        return f"upload-{len(home.uploads)}"

    async def record_deployments(
        self, home: Identity, cluster: str, environment: str, records: Sequence[DeploymentRecord]
    ) -> Mapping[str, str]:
        self._ask("record_deployments")
        refused = {each.name: "unauthorized" for each in records if each.repository in self.unrecordable}
        kept = self.deployment_records.setdefault((cluster, environment), {})
        kept.update({each.name: each for each in records if each.name not in refused})
        self._done("record_deployments")
        return refused

    async def taken_in(self, repository: Identity, upload: str) -> TakenIn:
        self._ask("taken_in")
        home = self._read(repository)
        if upload not in {f"upload-{number}" for number in range(1, len(home.uploads) + 1)}:
            raise Failure(Trouble.MISSING, "no such upload", status=404)
        return home.taken_in

    async def delete_branch(self, repository: Identity, branch: str, head: str) -> None:
        self._ask("delete_branch")
        home = self._write(repository)
        if home.branches.get(branch) != head:
            raise BranchMoved(branch, "it has moved", home.name)
        del home.branches[branch]
        self._done("delete_branch")

    async def grant(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> Granted:
        self._ask("grant")
        home = self._write(repository)
        known = home.requests[request.number]
        labels = tuple(
            label for label in dict.fromkeys((*known.labels, *wishes.labels)) if label not in wishes.unlabel
        )
        known_people = [name for name in wishes.assignees if name not in self.unknown]
        assignees = tuple(dict.fromkeys((*known.assignees, *known_people)))
        home.requests[request.number] = replace(known, labels=labels, assignees=assignees)
        refused = [name for name in (*wishes.people, *wishes.teams) if name in self.unknown]
        asked = (
            tuple(name for name in wishes.people if name not in refused),
            tuple(name for name in wishes.teams if name not in refused),
        )
        if any(asked):
            home.reviewers.append(asked)
        refusals = self._merging(home, request.number, wishes)
        self._done("grant")
        unassigned = [name for name in wishes.assignees if name in self.unknown]
        refusals += [Refusal(f"no review asked of {name}", "not a collaborator") for name in refused]
        if home.requirements.asks_work_item and request.number not in home.linked and not wishes.no_merge:
            refusals.append(Refusal("no work item linked", "a policy of its branch asks for one"))
        refusals += [Refusal(f"not assigned to {name}", "nobody of that name is known") for name in unassigned]
        now = home.requests[request.number]
        return Granted(tuple(refusals), now.is_to_merge or now.is_merged)

    async def find_issue(self, repository: Identity, label: str, mark: str = MARK) -> Issue | None:
        self._ask("find_issue")
        found = self._read(repository).issues.values()
        return next((issue for issue in found if issue.is_open and mark in issue.body), None)

    async def issue(self, repository: Identity, number: int) -> Issue | None:
        self._ask("issue")
        return self._read(repository).issues.get(number)

    async def open_issue(self, repository: Identity, title: str, body: str, label: str) -> Issue:
        self._ask("open_issue")
        home = self._write(repository)
        number = len(home.requests) + len(home.issues) + 1
        home.issues[number] = Issue(number, body, True, f"https://forge/{home.name}/issues/{number}")
        self._done("open_issue")
        return home.issues[number]

    async def change_issue(self, repository: Identity, number: int, body: str, *, is_open: bool) -> None:
        self._ask("change_issue")
        home = self._write(repository)
        home.issues[number] = replace(home.issues[number], body=body, is_open=is_open)
        self._done("change_issue")

    async def pull_request(self, repository: Identity, number: int) -> PullRequest:
        self._ask("pull_request")
        found = self._read(repository).requests.get(number)
        if found is None:
            raise Failure(Trouble.MISSING, "not found", where=repository.name, status=404)
        return found

    async def follow_requests(self, pull_requests: Sequence[str]) -> FollowedRequests:
        self._ask("follow_requests")
        homes = [home for home in self.homes if not home.is_gone]
        known = {item.node_id: _state_of(item, home) for home in homes for item in home.requests.values()}
        shown = {node: known[node] for node in pull_requests if node in known.keys() - self.unseen}
        return FollowedRequests(shown, self._denied(pull_requests))

    async def contains(self, repository: Identity, commit: str, earlier: str) -> bool:
        self._ask("contains")
        home = self._read(repository)
        return earlier in home.line_of(home.branches.get(commit, commit))

    # Within

    def _other(self, home: FakeRepository, item: PullRequest) -> OtherRequest:
        head = home.branches.get(item.branch, item.head)
        return OtherRequest(item.number, item.url, item.node_id or "", item.branch, head, "", item.base, item.title)

    def _merging(self, home: FakeRepository, number: int, wishes: Wishes) -> list[Refusal]:
        if wishes.no_merge and self.goes_on_merging:
            return [Refusal("not kept from merging", "Something went wrong")]
        if wishes.no_merge:
            home.edit(number, is_to_merge=False, is_to_merge_by_us=False, is_queued=False)
        if wishes.merge is MergeMethod.NEVER:
            return []
        if home.is_green and not home.requirements.has_queue:
            home.merge(number)
        elif home.is_green or home.requirements.can_wait:
            home.edit(number, is_to_merge=True, is_to_merge_by_us=True)
        else:
            return [Refusal("not set to merge by itself", "Pull request is not mergeable")]
        return []

    def _standing(self, home: FakeRepository) -> OwnWord:
        head = home.branches.get(home.trunk)
        config = home.commits[head].files.get(CONFIG) if head else None
        is_binary = config is not None and b"\0" in config
        return OwnWord(
            home.identity,
            home.trunk if head else None,
            None if is_binary else config,
            "archived" if home.is_archived else "locked (migrating)" if home.is_locked else None,
            head,
            home.is_archived,
            is_binary,
        )

    def _tip(self, home: FakeRepository, branch: str, paths: Sequence[str]) -> Tip | None:
        return self._tip_at(home, home.branches.get(branch), paths)

    def _tip_at(self, home: FakeRepository, sha: str | None, paths: Sequence[str]) -> Tip | None:
        if sha is None:
            return None
        commit = home.commits[sha]
        files = {
            path: BranchFile(path, blob_name(content, SHA1), content, commit.modes.get(path, "100644"))
            for path, content in commit.files.items()
            if path in paths
        }
        return Tip(sha, sha, commit.message, commit.author == BOT and commit.committer == BOT, files)

    def _made(self, home: FakeRepository, change: BranchChange) -> Commit:
        files = {**home.commits[change.onto].files, **{file.path: file.content for file in change.files}}
        modes = {**home.commits[change.onto].modes, **{file.path: file.mode for file in change.files}}
        return Commit(files, (change.onto,), change.message, BOT, BOT, modes)

    def _check_files(self, change: BranchChange) -> None:
        if not self.may_change_workflows and any(file.path.startswith(WORKFLOWS) for file in change.files):
            raise FilesDenied(WORKFLOWS, "workflows: write")

    def _bring(self, home: FakeRepository, request: RequestChange) -> PullRequest:
        if request.current is not None:
            known = home.requests[request.current.number]
            changed = replace(
                known,
                title=known.title if request.title is None else request.title,
                body=known.body if request.body is None else request.body,
                marker=request.marker or known.marker,
            )
            home.requests[known.number] = changed
            return replace(changed, head=home.branches.get(request.branch, changed.head))
        if any(item.branch == request.branch and item.is_open for item in home.requests.values()):
            raise Failure(Trouble.CONFLICT, "a pull request already exists", status=422)
        number = len(home.requests) + 1
        url = f"https://forge/{home.name}/pull/{number}"
        made = PullRequest(
            number,
            url,
            request.branch,
            home.branches[request.branch],
            request.title or "",
            request.body or "",
            is_open=True,
            is_merged=False,
            base=request.onto,
            is_draft=request.is_draft,
            marker=request.marker,
            node_id=f"PR_{home.id}_{number}",
        )
        home.requests[number] = made
        home.linked |= {number} if self.work_item is not None else set()
        self.opened_at[f"PR_{home.id}_{number}"] = self.clock.now()
        return made

    def _blob(self, repository: Identity, sha: str) -> bytes:
        contents = (
            content for commit in self._read(repository).commits.values() for content in commit.files.values()
        )
        found = next((content for content in contents if blob_name(content, sha) == sha), None)
        if found is None:
            raise Failure(Trouble.MISSING, f"no blob {sha[:12]}", where=repository.name, status=404)
        return found


def _is_shown_own(request: PullRequest) -> bool:
    return (request.is_open or request.is_merged) and request.is_own


def _is_other(item: PullRequest, branch: str) -> bool:
    return item.is_open and item.branch != branch


def _state_of(request: PullRequest, home: FakeRepository) -> PullRequestState:
    return PullRequestState(
        request.number,
        request.url,
        request.is_open,
        request.is_merged,
        request.is_conflicted,
        request.merge_commit,
        request.merge_node,
        request.merged_at,
        request.labels,
        home.is_green,
        request.is_to_merge,
        home.is_archived,
        request.base,
        home.trunk,
    )
