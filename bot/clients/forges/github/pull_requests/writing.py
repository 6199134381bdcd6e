"""Writing a pull request: its branch by compare-and-swap and its text in one request, what people wish in one.

GitHub runs the mutations of a request one after another, and goes on after one that failed; none is rolled back. So
what must not happen after a failure is either impossible then (no pull request without commits), or harmless.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.clients.forges.github.connection.graphql import Graph, GraphError, declared
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.pull_requests.looking import PULL_REQUEST, pull_request_of
from bot.clients.forges.github.pull_requests.rules import refusal, refusal_by_rules
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.forge import (
    NO_COMMIT,
    BranchChange,
    BranchLook,
    BranchMoved,
    BranchRefused,
    FilesDenied,
    Gate,
    Granted,
    PullRequest,
    Refusal,
    RequestChange,
    Wishes,
)
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.terms import MergeMethod

WORKFLOWS = ".github/workflows/"
_REGULAR = "100644"
"""The only mode that `createCommitOnBranch` gives to a file."""
_SCRATCH = "-next"
"""Behind a branch's name: where its next commit is made. A branch that equals its base has its pull request closed
by GitHub, if only for a moment, so it never goes there first.
"""
_MOST_TEXT = 1024 * 1024
"""Bytes of text in one request for a tree."""
_MOST_ASKED_ALONE = 10
_NEED_NOT_WAIT = re.compile(r"(clean|unstable|has_hooks) status", re.I)
_ABOUT_WORKFLOWS = re.compile(r"workflow", re.I)


@dataclass(slots=True)
class _Document:
    """Mutations in the order in which they are to run, with their variables."""

    fields: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def add(self, alias: str, mutation: str, given: Mapping[str, Any], selection: str = "clientMutationId") -> None:
        self.variables[alias] = given
        self.kinds[alias] = f"{mutation[0].upper()}{mutation[1:]}Input!"
        self.fields.append(f"{alias}: {mutation}(input: ${alias}) {{ {selection} }}")

    async def send(self, transport: Transport) -> Graph:
        text = f"mutation change{declared(self.kinds)} {{ {' '.join(self.fields)} }}"
        uses_pull = any("...pull" in each for each in self.fields)
        return await transport.mutate(text + (PULL_REQUEST if uses_pull else ""), self.variables)


async def prepare(transport: Transport, repository: Identity, change: BranchChange) -> str | None:
    """A commit that the branch cannot take directly: one with file modes, or one to be put in another's place."""
    if any(file.mode != _REGULAR for file in change.files):
        return await _commit_with_modes(transport, repository, change)
    if not _is_beside(change):
        return None
    document = _Document()
    update = {"name": _ref(change.branch + _SCRATCH), "afterOid": change.onto, "force": True}
    document.add("refs", "updateRefs", {"repositoryId": _node(repository), "refUpdates": [update]})
    _add_commit(document, repository, change, change.branch + _SCRATCH)
    graph = await document.send(transport)
    _check(graph, change)
    with shaped("commit"):
        return str(graph.data["commit"]["commit"]["oid"])


async def carry_out(
    transport: Transport,
    repository: Identity,
    change: BranchChange | None,
    prepared: str | None,
    request: RequestChange,
) -> PullRequest:
    document = _Document()
    if change is not None:
        _add_move(document, repository, change, prepared)
    if request.current is None:
        given = {
            "repositoryId": _node(repository),
            "baseRefName": request.onto,
            "headRefName": request.branch,
            "title": request.title,
            "body": request.body,
            "maintainerCanModify": True,
            "draft": request.is_draft,
        }
        document.add("request", "createPullRequest", given, "pullRequest { ...pull }")
    elif request.title is not None or request.body is not None:
        texts = {"title": request.title, "body": request.body}
        given = {name: text for name, text in texts.items() if text is not None}
        given["pullRequestId"] = _node_of(repository, request.current)
        document.add("request", "updatePullRequest", given, "pullRequest { ...pull }")
    graph = await document.send(transport)
    await _check_moved(transport, repository, graph, change)
    if "request" not in document.variables:
        assert request.current is not None
        return replace(request.current, head=_made(graph) or prepared or request.current.head)
    with shaped("pull request"):
        return pull_request_of(graph.data["request"]["pullRequest"])


async def close(transport: Transport, repository: Identity, request: PullRequest, body: str) -> None:
    given = {"pullRequestId": _node_of(repository, request), "body": body, "state": "CLOSED"}
    document = _Document()
    document.add("request", "updatePullRequest", given)
    (await document.send(transport)).check()


async def delete_branch(transport: Transport, repository: Identity, branch: str, at: str) -> None:
    """By compare-and-swap, so that nothing is lost that somebody has just pushed."""
    document = _Document()
    gone = {"name": _ref(branch), "beforeOid": at, "afterOid": NO_COMMIT}
    document.add("refs", "updateRefs", {"repositoryId": _node(repository), "refUpdates": [gone]})
    graph = await document.send(transport)
    for error in graph.errors[:1]:
        if (refused := refusal(branch, error.message, graph.where)) is not None:
            raise refused
        raised = error.failure(graph.where)
        raise BranchMoved(branch, error.message, graph.where) if raised.trouble is Trouble.CONFLICT else raised


async def grant(
    transport: Transport, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook
) -> Granted:
    """All in one request; labels that the repository lacks are made by one more, a merge at once is one more."""
    node, ids = _node_of(repository, request), look.wish_ids
    known_labels = [found for label in wishes.labels if (found := ids.labels.get(label)) is not None]
    new_labels = [label for label in wishes.labels if ids.labels.get(label) is None]
    people = {name: found for name in wishes.people if (found := ids.people.get(name)) is not None}
    teams = {name: found for name in wishes.teams if (found := ids.teams.get(name)) is not None}
    refused = [
        Refusal(f"no review asked of {name}", "nobody of that name is known")
        for name in (*wishes.people, *wishes.teams)
        if name not in people and name not in teams
    ]
    assignees = {name: found for name in wishes.assignees if (found := ids.people.get(name)) is not None}
    refused += [
        Refusal(f"not assigned to {name}", "nobody of that name is known")
        for name in wishes.assignees
        if name not in assignees
    ]
    document = _Document()
    if known_labels:
        document.add("labels", "addLabelsToLabelable", {"labelableId": node, "labelIds": known_labels})
    over = [found for label in wishes.unlabel if (found := ids.labels.get(label)) is not None]
    if over:
        document.add("unlabelled", "removeLabelsFromLabelable", {"labelableId": node, "labelIds": over})
    if people or teams:
        document.add("reviews", "requestReviews", _reviews(node, [*people.values()], [*teams.values()]))
    if assignees:
        given = {"assignableId": node, "assigneeIds": [*assignees.values()]}
        document.add("assigned", "addAssigneesToAssignable", given)
    is_to_merge = _add_merging(document, node, request, wishes, look.gate)
    if document.fields:
        graph = await document.send(transport)
        errors = {error.field: error for error in graph.errors}
        graph.check(forgiving={"labels", "reviews", "assigned", "merging"})
        if "merging" in errors:
            refusal = await _merged_now(transport, node, request, wishes, look.gate, errors["merging"])
            refused += [refusal] if refusal else []
            is_to_merge = refusal is None
        if "labels" in errors:
            refused.append(Refusal(f"not labelled {', '.join(wishes.labels)}", errors["labels"].message))
        if "assigned" in errors:
            refused.append(Refusal(f"not assigned to {', '.join(assignees)}", errors["assigned"].message))
        if "reviews" in errors:
            refused += await _asked_alone(transport, node, people, teams, errors["reviews"])
    if new_labels:
        refused += await _labelled_anew(transport, repository, request, new_labels)
    return Granted(tuple(refused), is_to_merge)


def _add_merging(document: _Document, node: str, request: PullRequest, wishes: Wishes, gate: Gate) -> bool:
    """Whether it is to merge by itself once the document is sent."""
    if wishes.no_merge:
        document.add("merging", "disablePullRequestAutoMerge", {"pullRequestId": node})
    elif wishes.merge is not MergeMethod.NEVER and gate.can_wait:
        method = wishes.merge.value.upper()
        given = {"pullRequestId": node, "mergeMethod": method, "expectedHeadOid": request.head}
        document.add("merging", "enablePullRequestAutoMerge", given)
        return True
    elif wishes.merge is not MergeMethod.NEVER and gate.has_queue:
        document.add("merging", "enqueuePullRequest", {"pullRequestId": node, "expectedHeadOid": request.head})
        return True
    return False


async def _merged_now(
    transport: Transport, node: str, request: PullRequest, wishes: Wishes, gate: Gate, error: GraphError
) -> Refusal | None:
    """What need not wait any more is merged, or enters the queue; why not, where it is refused.

    GitHub sets nothing to merge later that it would merge at once.
    """
    if wishes.no_merge:
        return await _out_of_queue(transport, node, error)
    if not _NEED_NOT_WAIT.search(error.message):
        return Refusal("not set to merge by itself", error.message)
    document = _Document()
    given = {"pullRequestId": node, "expectedHeadOid": request.head}
    if gate.has_queue:
        document.add("merging", "enqueuePullRequest", given)
    else:
        document.add("merging", "mergePullRequest", given | {"mergeMethod": wishes.merge.value.upper()})
    graph = await document.send(transport)
    return next((Refusal("not merged", each.message) for each in graph.errors), None)


async def _out_of_queue(transport: Transport, node: str, error: GraphError) -> Refusal | None:
    document = _Document()
    document.add("merging", "dequeuePullRequest", {"id": node})
    graph = await document.send(transport)
    return Refusal("not kept from merging", error.message) if graph.errors else None


async def _labelled_anew(
    transport: Transport, repository: Identity, request: PullRequest, labels: Sequence[str]
) -> list[Refusal]:
    """By REST, which makes a label that is not there."""
    path = f"/repos/{repository.name}/issues/{request.number}/labels"
    try:
        await transport.write("POST", path, {"labels": list(labels)})
    except Failure as failure:
        if failure.trouble not in (Trouble.CONFLICT, Trouble.DENIED, Trouble.MISSING):
            raise
        return [Refusal(f"not labelled {', '.join(labels)}", failure.what)]
    return []


async def _asked_alone(
    transport: Transport, node: str, people: Mapping[str, str], teams: Mapping[str, str], error: GraphError
) -> list[Refusal]:
    """GitHub refuses everybody where it does not take one, so then each is asked alone."""
    alone: list[tuple[str, list[str], list[str]]] = [(name, [found], []) for name, found in people.items()]
    alone += [(name, [], [found]) for name, found in teams.items()]
    if len(alone) == 1:
        return [Refusal(f"no review asked of {alone[0][0]}", error.message)]
    document = _Document()
    for number, (_, users, groups) in enumerate(alone[:_MOST_ASKED_ALONE]):
        document.add(f"r{number}", "requestReviews", _reviews(node, users, groups))
    graph = await document.send(transport)
    errors = {each.field: each.message for each in graph.errors}
    return [
        Refusal(f"no review asked of {name}", errors[f"r{number}"])
        for number, (name, _, _) in enumerate(alone[:_MOST_ASKED_ALONE])
        if f"r{number}" in errors
    ]


def _reviews(node: str, people: Sequence[str], teams: Sequence[str]) -> dict[str, Any]:
    """`union` keeps whom people have asked: without it these would be all."""
    return {"pullRequestId": node, "userIds": list(people), "teamIds": list(teams), "union": True}


def _is_beside(change: BranchChange) -> bool:
    """Whether the commit is made on the scratch branch first."""
    return change.before not in (None, change.onto) and all(file.mode == _REGULAR for file in change.files)


def _add_move(document: _Document, repository: Identity, change: BranchChange, prepared: str | None) -> None:
    if prepared is not None:
        update = {
            "name": _ref(change.branch),
            "beforeOid": change.before or NO_COMMIT,
            "afterOid": prepared,
            "force": True,
        }
        gone = {"name": _ref(change.branch + _SCRATCH), "beforeOid": prepared, "afterOid": NO_COMMIT}
        updates = [update, gone] if _is_beside(change) else [update]
        document.add("refs", "updateRefs", {"repositoryId": _node(repository), "refUpdates": updates})
        return
    if change.before is None:
        made = {"repositoryId": _node(repository), "name": _ref(change.branch), "oid": change.onto}
        document.add("ref", "createRef", made)
    _add_commit(document, repository, change, change.branch)


def _add_commit(document: _Document, repository: Identity, change: BranchChange, branch: str) -> None:
    headline, _, body = change.message.partition("\n")
    additions = [{"path": file.path, "contents": base64.b64encode(file.content).decode()} for file in change.files]
    given = {
        "branch": {"repositoryNameWithOwner": repository.name, "branchName": branch},
        "expectedHeadOid": change.onto,
        "message": {"headline": headline, "body": body.strip("\n")},
        "fileChanges": {"additions": additions},
    }
    document.add("commit", "createCommitOnBranch", given, "commit { oid }")


async def _commit_with_modes(transport: Transport, repository: Identity, change: BranchChange) -> str:
    """Text goes along with the tree: a write for each of many files would take long, and GitHub counts them.

    The commit names no author, so that GitHub signs it for an App.
    """
    room, entries = _MOST_TEXT, []
    for file in change.files:
        text = _text(file.content) if len(file.content) <= room else None
        room -= len(file.content) if text is not None else 0
        holds = {"sha": await _new_blob(transport, repository, file.content)} if text is None else {"content": text}
        entries.append({"path": file.path, "mode": file.mode, "type": "blob", **holds})
    home = f"/repos/{repository.name}/git"
    try:
        with shaped("tree"):
            changed = {"base_tree": change.onto_tree, "tree": entries}
            tree = str((await transport.write("POST", f"{home}/trees", changed))["sha"])
        with shaped("commit"):
            made = {"message": change.message, "tree": tree, "parents": [change.onto]}
            return str((await transport.write("POST", f"{home}/commits", made))["sha"])
    except Failure as failure:
        if failure.trouble is Trouble.DENIED and _has_workflows(change):
            raise _denied(failure.where) from failure
        raise


async def _new_blob(transport: Transport, repository: Identity, content: bytes) -> str:
    body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
    with shaped("blob"):
        return str((await transport.write("POST", f"/repos/{repository.name}/git/blobs", body))["sha"])


def _node_of(repository: Identity, request: PullRequest) -> str:
    if request.node_id is None:
        raise Failure(Trouble.MALFORMED, f"#{request.number} has no node id", where=repository.name)
    return request.node_id


def _check(graph: Graph, change: BranchChange | None) -> None:
    """Raises the first error: what follows it is its consequence."""
    for error in graph.errors[:1]:
        if change is None:
            raise error.failure(graph.where)
        raised = error.failure(graph.where)
        about_branch = error.field in ("ref", "refs", "commit")
        if about_branch and _has_workflows(change) and _is_about_workflows(error):
            raise _denied(graph.where)
        if about_branch and (refused := refusal(change.branch, error.message, graph.where)) is not None:
            raise refused
        if about_branch and raised.trouble is Trouble.CONFLICT:
            raise BranchMoved(change.branch, error.message, graph.where)
        raise raised


async def _check_moved(
    transport: Transport, repository: Identity, graph: Graph, change: BranchChange | None
) -> None:
    """The same where a branch was made or moved: an empty one that was made for nothing goes again."""
    try:
        _check(graph, change)
    except BranchMoved as moved:
        assert change is not None
        refused = (
            await refusal_by_rules(transport, repository, change, graph.where) if _says_nothing(graph) else None
        )
        raise (refused or moved) from moved
    except BranchRefused:
        assert change is not None
        if change.before is None and graph.errors[0].field == "commit":
            gone = {"name": _ref(change.branch), "beforeOid": change.onto, "afterOid": NO_COMMIT}
            document = _Document()
            document.add("refs", "updateRefs", {"repositoryId": _node(repository), "refUpdates": [gone]})
            await document.send(transport)
        raise


def _says_nothing(graph: Graph) -> bool:
    """Of a rule and of a branch that has moved GitHub may say the same."""
    return "Reference update failed" in graph.errors[0].message


def _is_about_workflows(error: GraphError) -> bool:
    return error.kind == "FORBIDDEN" or _ABOUT_WORKFLOWS.search(error.message) is not None


def _has_workflows(change: BranchChange) -> bool:
    return any(file.path.startswith(WORKFLOWS) for file in change.files)


def _denied(where: str) -> FilesDenied:
    return FilesDenied(WORKFLOWS, "workflows: write", where)


def _made(graph: Graph) -> str | None:
    with shaped("commit"):
        return str(graph.data["commit"]["commit"]["oid"]) if "commit" in graph.data else None


def _node(repository: Identity) -> str:
    if repository.node_id is None:
        raise Failure(Trouble.MALFORMED, "the repository's node id is not known", where=repository.name)
    return repository.node_id


def _ref(branch: str) -> str:
    return f"refs/heads/{branch}"


def _text(content: bytes) -> str | None:
    """None for what JSON cannot carry as it is."""
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None
