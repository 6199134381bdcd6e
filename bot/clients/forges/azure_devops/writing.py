"""What the bot changes in Azure Repos: commits, branches, pull requests, and what is wished for these.

A push makes one commit on what it says that the branch is at, so what is to follow another commit than that is made
on a branch aside. The service never writes over what somebody else has pushed: each move says from where.
"""

import base64
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from bot.clients.forges.azure_devops.answers import AzureRefusal, shaped
from bot.clients.forges.azure_devops.looking import RequestLooks, what_is_there
from bot.clients.forges.azure_devops.names import ref_of
from bot.clients.forges.azure_devops.people import person_in, team_in
from bot.clients.forges.azure_devops.pull_requests import MARKER, NOBODY, STRATEGIES, request_of
from bot.clients.forges.azure_devops.refs import GRANTED_AT, check_update
from bot.clients.forges.azure_devops.rights import signed_in_id
from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.branches import NO_COMMIT, BranchChange, scratch_of
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import Granted, PullRequest, Refusal, RequestChange, Wishes
from bot.domain.forge.refusals import (
    AccessDenied,
    BranchMoved,
    BranchRefused,
    BranchRule,
    Denial,
    RepositoryArchived,
)
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.terms import MergeMethod

EXECUTABLE = "100755"
_STALE = "GitReferenceStaleException"
_NEEDS = "GitNeedsPermissionException"
_BY_REQUEST_ALONE = "TF402455"
_RIGHT = re.compile(r"'(?:Git)?(\w+)'")
_RIGHTS: Mapping[str, str] = {
    "GenericRead": "Read",
    "GenericContribute": "Contribute",
    "CreateBranch": "Create branch",
    "ForcePush": "Force push",
    "PullRequestContribute": "Contribute to pull requests",
}
"""By the word in a refusal the permission as the page of the repository's security calls it."""
_NO_WORK_ITEM = "no work item linked"
_LINK_BY_HAND = "it was opened before `work_item` was set; link one on its page"
_NO_REVIEW = "no review asked of {}"
_NOBODY_CALLED_SO = "nobody is called so there; name people by the address that they sign in with"
_NOBODY_FOR = timedelta(hours=1)
"""A name that nobody has is not looked up again."""
_NO_IDENTITIES = "a token needs Identity (read) to look them up"


class RequestWrites(RequestLooks):
    """Changes branches and pull requests; nothing is sent twice."""

    __slots__ = ()

    async def prepare(self, repository: Identity, change: BranchChange) -> str | None:
        """One push to a branch aside, where the branch itself would not take the commit after the one it is at. An
        executable is looked at again: the service is not told modes, and none may be lost."""
        modes = {file.path: file.mode for file in change.files if file.mode == EXECUTABLE}
        is_next = change.before in (None, change.onto)
        if is_next and not modes and not change.is_aside:
            return None
        async with self._refusals(repository, change.branch):
            commit = await self._push_aside(repository, change)
            if modes:
                await self._check_modes(repository, commit, modes)
        return commit

    async def carry_out(
        self, repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange
    ) -> PullRequest:
        """One request for the branch, one for the pull request, and one for a marker beside its text."""
        async with self._refusals(repository, request.branch):
            if change is not None and prepared is not None:
                await self._move(repository, change, prepared)
            elif change is not None:
                await self._push(repository, change.branch, change.before or change.onto, change)
            made = await self._request(repository, request)
            if request.marker:
                transport, home = self.at(repository)
                path = f"{home}/pullRequests/{made.number}/properties"
                await transport.put_property(path, MARKER, request.marker)
            return made

    async def close_pull_request(self, repository: Identity, request: PullRequest, *, body: str) -> None:
        async with self._refusals(repository, request.branch):
            await self._patch(repository, request.number, {"status": "abandoned", "description": body})

    async def delete_branch(self, repository: Identity, branch: str, head: str) -> None:
        async with self._refusals(repository, branch):
            await self._update(repository, [_update(branch, head, NO_COMMIT)])

    async def grant(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> Granted:
        """One request for each label, one for who is asked to review and one for each that is not known yet, one to
        complete by itself, and one for its work items where a policy asks for one. Nobody is assigned there."""
        refused = [Refusal(f"not assigned to {name}", "Azure Repos have no assignees") for name in wishes.assignees]
        organization = self.node(repository).organization
        asks = look.requirements.asks_work_item and not wishes.no_merge
        is_set = organization.lower() in self.work_items
        if asks and not is_set:
            way_out = f"set azure_devops.organizations.{organization}.work_item"
            refused.append(Refusal(_NO_WORK_ITEM, f"a policy of its branch asks for one; {way_out}"))
        async with self._refusals(repository, request.branch):
            transport, home = self.at(repository)
            if asks and is_set and not await self.rows(repository, f"pullRequests/{request.number}/workitems"):
                refused.append(Refusal(_NO_WORK_ITEM, _LINK_BY_HAND))
            labels = f"{home}/pullRequests/{request.number}/labels"
            for label in wishes.labels:
                with _told(refused, f"not labelled {label}"):
                    await transport.post(labels, {"name": label})
            for label in set(wishes.unlabel) & set(request.labels):
                with _told(refused, f"still labelled {label}"), what_is_there():
                    await transport.delete(f"{labels}/{quote(label, safe='')}")
            refused += await self._ask_to_review(repository, request, wishes)
            is_to_merge = await self._complete(repository, request, wishes, look)
        return Granted(tuple(refused), is_to_merge)

    async def _ask_to_review(self, repository: Identity, request: PullRequest, wishes: Wishes) -> Sequence[Refusal]:
        """Asks all of them at once, and each alone where not all are taken; tells of each who cannot be asked."""
        transport, home = self.at(repository)
        path = f"{home}/pullRequests/{request.number}/reviewers"
        refused: list[Refusal] = []
        ids: list[tuple[str, str]] = []
        for is_team, names in ((False, wishes.people), (True, wishes.teams)):
            for name in names:
                with _told(refused, _NO_REVIEW.format(name)):
                    reviewer = await self._reviewer(repository, name, is_team=is_team)
                    if reviewer is None:
                        refused.append(Refusal(_NO_REVIEW.format(name), _NOBODY_CALLED_SO))
                    else:
                        ids.append((name, reviewer))
        refused_together: list[Refusal] = []
        if ids:
            with _told(refused_together, ""):
                await transport.post(path, [{"id": each} for _, each in ids])
        for name, each in ids if refused_together else ():
            with _told(refused, _NO_REVIEW.format(name)):
                await transport.post(path, [{"id": each}])
        return refused

    async def _reviewer(self, repository: Identity, name: str, *, is_team: bool) -> str | None:
        """The id of a person of the organisation, or of a team of the project; None where there is no such one."""
        transport, project = self.at(repository)[0], repository.name.split("/")[1]
        full_name = f"[{project}]\\{name}" if is_team else name
        key, now = (transport.organization, full_name), transport.clock.now()
        known, looked_up_at = self._reviewers.get(key, (None, None))
        if known is None and (looked_up_at is None or now >= looked_up_at + _NOBODY_FOR):
            rows = await self._identities(transport, full_name)
            with shaped("list of identities", transport.organization):
                known = team_in(rows, project, name) if is_team else person_in(rows, name)
            self._reviewers[key] = known, now
        return known

    async def _identities(self, transport: OrganizationTransport, name: str) -> Sequence[Mapping[str, Any]]:
        """Who may be meant by a name. A token without the right to ask is answered like one that has run out, which
        is taken nowhere: `AccessDenied` is raised where it is taken elsewhere."""
        try:
            return await transport.identities(name)
        except Failure as failure:
            if failure.trouble is not Trouble.DENIED:
                raise
            await signed_in_id(transport)
            fault = f"{failure.what}; {_NO_IDENTITIES}"
            raise AccessDenied(Denial.RIGHT, fault, transport.organization, "Identity (read)") from failure

    async def _complete(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> bool:
        """Whether it completes by itself from now on, once policies let it."""
        if wishes.no_merge:
            await self._patch(repository, request.number, {"autoCompleteSetBy": {"id": NOBODY}})
            return False
        if wishes.merge is MergeMethod.NEVER or not look.requirements.can_wait:
            return False
        me = await self.me(self.at(repository)[0])
        options = {"mergeStrategy": STRATEGIES[wishes.merge], "deleteSourceBranch": False}
        change = {"autoCompleteSetBy": {"id": me}, "completionOptions": options}
        await self._patch(repository, request.number, change)
        return True

    async def _push_aside(self, repository: Identity, change: BranchChange) -> str:
        """The commit, made at the end of the branch aside; what a crash has left there goes first."""
        aside = scratch_of(change.branch)
        try:
            return await self._push(repository, aside, change.onto, change)
        except BranchMoved:
            left = await self.branch_tip(repository, aside)
            if left is None:
                raise
            await self._update(repository, [_update(aside, left, NO_COMMIT)])
            return await self._push(repository, aside, change.onto, change)

    async def _push(self, repository: Identity, branch: str, before: str, change: BranchChange) -> str:
        """A commit after `before`, where the branch is or from where it begins."""
        transport, home = self.at(repository)
        known = await self._paths(repository, change)
        changes = [
            {
                "changeType": "edit" if file.path in known else "add",
                "item": {"path": f"/{file.path}"},
                "newContent": {
                    "content": base64.b64encode(file.content).decode(),
                    "contentType": "base64Encoded",
                },
            }
            for file in change.files
        ]
        body = {
            "refUpdates": [{"name": ref_of(branch), "oldObjectId": before}],
            "commits": [{"comment": change.message, "changes": changes}],
        }
        try:
            shown = await transport.post(f"{home}/pushes", body)
        except AzureRefusal as refusal:
            raise _refused_push(refusal, branch, repository.name) from refusal
        with shaped("push", repository.name):
            return str(shown["commits"][0]["commitId"])

    async def _paths(self, repository: Identity, change: BranchChange) -> frozenset[str]:
        """What is there already: the service is told of each file whether it is new."""
        sha = change.onto_tree
        if change.is_aside:
            row = await self.shown(repository, f"commits/{change.onto}")
            with shaped("commit", repository.name):
                sha = str(row["treeId"])
        return frozenset(entry.path for entry in (await self.whole_tree(repository, sha)).entries)

    async def _check_modes(self, repository: Identity, commit: str, modes: Mapping[str, str]) -> None:
        """Raises `Failure` (conflict) where the commit has made a file no executable any more."""
        row = await self.shown(repository, f"commits/{commit}")
        with shaped("commit", repository.name):
            tree = await self.whole_tree(repository, str(row["treeId"]))
        lost = [entry.path for entry in tree.entries if modes.get(entry.path, entry.mode) != entry.mode]
        if lost:
            fault = f"the push would make {lost[0]} no executable any more"
            raise Failure(Trouble.CONFLICT, fault, where=repository.name, advice="change it by hand")

    async def _move(self, repository: Identity, change: BranchChange, prepared: str) -> None:
        """The branch goes to what was prepared, and the one aside goes, in one request: between two, a kill would
        leave that behind for good. What becomes of it hinders nothing."""
        moved = _update(change.branch, change.before or NO_COMMIT, prepared)
        await self._update(repository, [moved, _update(scratch_of(change.branch), prepared, NO_COMMIT)])

    async def _update(self, repository: Identity, updates: Sequence[Mapping[str, str]]) -> None:
        """Raises `BranchMoved` or `BranchRefused` for the first of them."""
        transport, home = self.at(repository)
        check_update(await transport.post(f"{home}/refs", list(updates)), updates[0]["name"], repository.name)

    async def _request(self, repository: Identity, request: RequestChange) -> PullRequest:
        current = request.current
        if current is not None:
            texts = {"title": request.title, "description": request.body}
            changed = {key: text for key, text in texts.items() if text is not None}
            if not changed:
                return await self.pull_request(repository, current.number)
            return await self._patch(repository, current.number, changed)
        transport, home = self.at(repository)
        body: dict[str, Any] = {
            "sourceRefName": ref_of(request.branch),
            "targetRefName": ref_of(request.onto),
            "title": request.title or "",
            "description": request.body or "",
            "isDraft": request.is_draft,
        }
        work_item = self.work_items.get(self.node(repository).organization.lower())
        if work_item is not None:
            body["workItemRefs"] = [{"id": str(work_item)}]
        return await self._shown(repository, await transport.post(f"{home}/pullrequests", body))

    async def _patch(self, repository: Identity, number: int, change: Mapping[str, Any]) -> PullRequest:
        transport, home = self.at(repository)
        return await self._shown(repository, await transport.patch(f"{home}/pullrequests/{number}", change))

    async def _shown(self, repository: Identity, row: Any) -> PullRequest:
        me = await self.me(self.at(repository)[0])
        with shaped("pull request", repository.name):
            return request_of(row, repository, self.node(repository), me)

    @asynccontextmanager
    async def _refusals(self, repository: Identity, branch: str) -> AsyncIterator[None]:
        """Tells what refuses a write by its name: a repository that is disabled is answered as if it were gone."""
        try:
            yield
        except AzureRefusal as refusal:
            if refusal.trouble is Trouble.MISSING and await self._is_disabled(repository):
                raise RepositoryArchived(repository.name) from refusal
            raise _refused(refusal, branch, repository.name) from refusal

    async def _is_disabled(self, repository: Identity) -> bool:
        rows, node = await self.listed(self.at(repository)[0]), self.node(repository)
        return any(row.get("id") == node.id and row.get("isDisabled") is True for row in rows)


@contextmanager
def _told(refused: list[Refusal], wish: str) -> Iterator[None]:
    """Tells what the service refuses of a wish, or has not; what passes by itself is raised."""
    try:
        yield
    except Failure as failure:
        if failure.meaning is Meaning.TRANSIENT and failure.trouble is not Trouble.MISSING:
            raise
        refused.append(Refusal(wish, failure.what))


def _update(branch: str, before: str, after: str) -> Mapping[str, str]:
    return {"name": ref_of(branch), "oldObjectId": before, "newObjectId": after}


def _refused_push(refusal: AzureRefusal, branch: str, place: str) -> Failure:
    return BranchMoved(branch, refusal.what, place) if refusal.type_key == _STALE else refusal


def _refused(refusal: AzureRefusal, branch: str, place: str) -> Failure:
    if refusal.code == _BY_REQUEST_ALONE:
        return BranchRefused(branch, BranchRule.PULL_REQUEST, place, refusal.what)
    if refusal.type_key == _NEEDS:
        named = _RIGHT.search(refusal.what)
        right = _RIGHTS.get(named[1], named[1]) if named is not None else "what it names"
        return AccessDenied(Denial.RIGHT, refusal.what, place, f"{right} {GRANTED_AT}", refusal.status)
    return refusal
