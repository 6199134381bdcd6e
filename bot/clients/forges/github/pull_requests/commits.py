"""Makes commits and moves branches by compare-and-swap, several mutations in one request.

GitHub runs them one after another, and goes on after one that failed; none is rolled back. So what must not happen
after a failure is either impossible then (no pull request without commits), or harmless.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.clients.forges.github.connection.graphql import GraphAnswer, GraphError, Variables
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.pull_requests.pull_request import PULL_REQUEST
from bot.clients.forges.github.pull_requests.rules import refusal, refusal_by_rules
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import NO_COMMIT, BranchChange, scratch_of
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.forge.refusals import BranchMoved, FilesDenied, RepositoryArchived
from bot.domain.repositories.repository import WORKFLOWS, Identity


@dataclass(slots=True)
class Mutations:
    """Mutations in the order in which they are to run, with their variables."""

    fields: list[str] = field(default_factory=list)
    _variables: Variables = field(default_factory=Variables)

    def add(
        self, alias: str, mutation: str, arguments: Mapping[str, Any], selection: str = "clientMutationId"
    ) -> None:
        variable = self._variables.add(alias, f"{mutation[0].upper()}{mutation[1:]}Input!", arguments)
        self.fields.append(f"{alias}: {mutation}(input: {variable}) {{ {selection} }}")

    async def send(self, transport: Transport) -> GraphAnswer:
        text = f"mutation change{self._variables.declared} {{ {' '.join(self.fields)} }}"
        uses_pull = any("...pull" in each for each in self.fields)
        return await transport.mutate(text + (PULL_REQUEST if uses_pull else ""), self._variables.values)

    def has(self, alias: str) -> bool:
        return alias in self._variables.values


def pull_request_node(repository: Identity, request: PullRequest) -> str:
    if request.node_id is None:
        raise Failure(Trouble.MALFORMED, f"#{request.number} has no node id", where=repository.name)
    return request.node_id


def repository_node(repository: Identity) -> str:
    if repository.node_id is None:
        raise Failure(Trouble.MALFORMED, "the repository's node id is not known", where=repository.name)
    return repository.node_id


REGULAR = "100644"
"""The only mode that `createCommitOnBranch` gives to a file."""
_MOST_TEXT = 1024 * 1024
"""Bytes of text in one request for a tree."""
_ABOUT_WORKFLOWS = re.compile(r"workflow", re.I)


async def prepare(transport: Transport, repository: Identity, change: BranchChange) -> str | None:
    """Makes a commit that the branch cannot take directly: with file modes, in another's place, of several, or
    where no push may come before it."""
    if _is_by_tree(change):
        return await _commit_with_modes(transport, repository, change)
    if not _is_beside(change):
        return None
    mutations = Mutations()
    update = {"name": ref_of(scratch_of(change.branch)), "afterOid": change.onto, "force": True}
    mutations.add("refs", "updateRefs", {"repositoryId": repository_node(repository), "refUpdates": [update]})
    _add_commit(mutations, repository, change, scratch_of(change.branch))
    graph = await mutations.send(transport)
    try:
        check_commit(graph, change)
    except Failure:
        if graph.errors[0].field == "commit":
            await delete_ref(transport, repository, scratch_of(change.branch), change.onto)
        raise
    with shaped("commit"):
        return str(graph.data["commit"]["commit"]["oid"])


def _is_beside(change: BranchChange) -> bool:
    """Whether the commit is made on the scratch branch first."""
    return (change.is_aside or change.before not in (None, change.onto)) and not _is_by_tree(change)


def _is_by_tree(change: BranchChange) -> bool:
    """Whether the commit is made from its tree, before any branch points to it. On top of what a branch has, one
    push brings it in any case."""
    if any(file.mode != REGULAR for file in change.files):
        return True
    return change.is_pushed_whole and not change.is_aside and change.before != change.onto


def add_move(mutations: Mutations, repository: Identity, change: BranchChange, prepared: str | None) -> None:
    """Adds what moves a branch to its new commit; `prepared` is that commit where it lies on a scratch branch
    already."""
    if prepared is not None:
        update = {
            "name": ref_of(change.branch),
            "beforeOid": change.before or NO_COMMIT,
            "afterOid": prepared,
            "force": True,
        }
        removal = {"name": ref_of(scratch_of(change.branch)), "beforeOid": prepared, "afterOid": NO_COMMIT}
        updates = [update, removal] if _is_beside(change) else [update]
        mutations.add("refs", "updateRefs", {"repositoryId": repository_node(repository), "refUpdates": updates})
        return
    if change.before is None:
        creation = {"repositoryId": repository_node(repository), "name": ref_of(change.branch), "oid": change.onto}
        mutations.add("ref", "createRef", creation)
    _add_commit(mutations, repository, change, change.branch)


def _add_commit(mutations: Mutations, repository: Identity, change: BranchChange, branch: str) -> None:
    headline, _, body = change.message.partition("\n")
    additions = [{"path": file.path, "contents": base64.b64encode(file.content).decode()} for file in change.files]
    commit_input = {
        "branch": {"repositoryNameWithOwner": repository.name, "branchName": branch},
        "expectedHeadOid": change.onto,
        "message": {"headline": headline, "body": body.strip("\n")},
        "fileChanges": {"additions": additions},
    }
    mutations.add("commit", "createCommitOnBranch", commit_input, "commit { oid }")


async def _commit_with_modes(transport: Transport, repository: Identity, change: BranchChange) -> str:
    """Text goes along with the tree: a write for each of many files would take long, and GitHub counts them.

    The commit names no author, so that GitHub signs it for an App.
    """
    try:
        changed = {"base_tree": change.onto_tree, "tree": await _entries(transport, repository, change)}
        return await commit_tree(transport, repository, changed, change.message, [change.onto])
    except Failure as failure:
        if _has_workflows(change) and _may_be_a_right(failure):
            raise _denied_files(failure.where) from failure
        raise (refusal(change.branch, failure.what, failure.where) or failure) from failure


async def commit_tree(
    transport: Transport,
    repository: Identity,
    tree: Mapping[str, object],
    message: str,
    parents: Sequence[str],
) -> str:
    """Makes a commit to which no branch points yet, of a tree in GitHub's own words; raises `Failure`."""
    home = f"/repos/{repository.name}/git"
    with shaped("tree"):
        made_tree = str((await transport.write("POST", f"{home}/trees", dict(tree)))["sha"])
    with shaped("commit"):
        commit_fields = {"message": message, "tree": made_tree, "parents": list(parents)}
        return str((await transport.write("POST", f"{home}/commits", commit_fields))["sha"])


async def _entries(transport: Transport, repository: Identity, change: BranchChange) -> list[dict[str, str]]:
    room, entries = _MOST_TEXT, []
    for file in change.files:
        text = _as_text(file.content) if len(file.content) <= room else None
        room -= len(file.content) if text is not None else 0
        holds = {"sha": await new_blob(transport, repository, file.content)} if text is None else {"content": text}
        entries.append({"path": file.path, "mode": file.mode, "type": "blob", **holds})
    return entries


async def new_blob(transport: Transport, repository: Identity, content: bytes) -> str:
    """Hands over the bytes of a file; returns the id that a tree names them by."""
    body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
    with shaped("blob"):
        return str((await transport.write("POST", f"/repos/{repository.name}/git/blobs", body))["sha"])


def check_commit(graph: GraphAnswer, change: BranchChange | None) -> None:
    """Raises the first error: what follows it is its consequence."""
    for error in graph.errors[:1]:
        if change is None:
            raise error.failure(graph.place)
        raised = error.failure(graph.place)
        about_branch = error.field in ("ref", "refs", "commit")
        if about_branch and _has_workflows(change) and _is_about_workflows(error, raised):
            raise _denied_files(graph.place)
        if about_branch:
            refused = refusal(change.branch, error.message, graph.place, error.kind)
            if refused is not None:
                raise refused
        if about_branch and raised.trouble is Trouble.CONFLICT:
            raise BranchMoved(change.branch, error.message, graph.place)
        raise raised


async def check_moved(
    transport: Transport, repository: Identity, graph: GraphAnswer, change: BranchChange | None
) -> None:
    """The same where a branch was made or moved: an empty one that was made for nothing goes again."""
    try:
        check_commit(graph, change)
    except Failure as failure:
        if change is not None and change.before is None and graph.errors[0].field == "commit":
            await delete_ref(transport, repository, change.branch, change.onto)
        if isinstance(failure, BranchMoved) and change is not None and _says_nothing(graph):
            refused = await refusal_by_rules(transport, repository, change, graph.place)
            raise (refused or failure) from failure
        raise


async def delete_ref(transport: Transport, repository: Identity, branch: str, head: str) -> GraphAnswer:
    """Asks for the branch to go if it still points to `head`; what came of it is in the answer."""
    mutations = Mutations()
    removal = {"name": ref_of(branch), "beforeOid": head, "afterOid": NO_COMMIT}
    mutations.add("refs", "updateRefs", {"repositoryId": repository_node(repository), "refUpdates": [removal]})
    return await mutations.send(transport)


def _says_nothing(graph: GraphAnswer) -> bool:
    """Of a rule and of a branch that has moved GitHub may say the same."""
    return "Reference update failed" in graph.errors[0].message


def _is_about_workflows(error: GraphError, raised: Failure) -> bool:
    is_denied = error.is_denial and _may_be_a_right(raised)
    return is_denied or _ABOUT_WORKFLOWS.search(error.message) is not None


def _may_be_a_right(failure: Failure) -> bool:
    """Whether a right may be missing for these files alone, and not all that the credentials may do there."""
    return failure.lacks_a_right and not isinstance(failure, RepositoryArchived)


def _has_workflows(change: BranchChange) -> bool:
    return any(file.path.startswith(WORKFLOWS) for file in change.files)


def _denied_files(place: str) -> FilesDenied:
    return FilesDenied(WORKFLOWS, "workflows: write", place)


def commit_made(graph: GraphAnswer) -> str | None:
    with shaped("commit"):
        return str(graph.data["commit"]["commit"]["oid"]) if "commit" in graph.data else None


def ref_of(branch: str) -> str:
    return f"refs/heads/{branch}"


def _as_text(content: bytes) -> str | None:
    """None for what JSON cannot carry as it is."""
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None
