"""Opens, changes and closes a pull request: its branch by compare-and-swap, and then its text."""

from dataclasses import replace

from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.pull_requests.commits import (
    Mutations,
    add_move,
    check_moved,
    commit_made,
    delete_ref,
    pull_request_node,
    repository_node,
)
from bot.clients.forges.github.pull_requests.pull_request import pull_request_of
from bot.clients.forges.github.pull_requests.rules import refusal
from bot.domain.failure import Trouble
from bot.domain.forge.branches import BranchChange
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.refusals import BranchMoved
from bot.domain.repositories.repository import Identity


async def carry_out(
    transport: Transport,
    repository: Identity,
    change: BranchChange | None,
    prepared: str | None,
    request: RequestChange,
) -> PullRequest:
    """Moves the branch and opens the pull request in one request, or changes its text in a second one. Raises
    `BranchMoved`.

    GitHub carries out each mutation of a request, also after one that failed: a text in the same request as the
    move would be written on the pull request of whoever was faster.
    """
    mutations = Mutations()
    if change is not None:
        add_move(mutations, repository, change, prepared)
    if change is not None and request.current is not None:
        moved = await mutations.send(transport)
        await check_moved(transport, repository, moved, change)
        head = commit_made(moved) or prepared or request.current.head
        request = replace(request, current=replace(request.current, head=head))
        change, mutations = None, Mutations()
    if request.current is None:
        request_input = {
            "repositoryId": repository_node(repository),
            "baseRefName": request.onto,
            "headRefName": request.branch,
            "title": request.title,
            "body": request.body,
            "maintainerCanModify": True,
            "draft": request.is_draft,
        }
        mutations.add("request", "createPullRequest", request_input, "pullRequest { ...pull }")
    elif request.title is not None or request.body is not None:
        texts = {"title": request.title, "body": request.body}
        request_input = {name: text for name, text in texts.items() if text is not None}
        request_input["pullRequestId"] = pull_request_node(repository, request.current)
        mutations.add("request", "updatePullRequest", request_input, "pullRequest { ...pull }")
    if request.current is not None and not mutations.has("request"):
        return request.current
    graph = await mutations.send(transport)
    await check_moved(transport, repository, graph, change)
    with shaped("pull request"):
        return pull_request_of(graph.data["request"]["pullRequest"])


async def close(transport: Transport, repository: Identity, request: PullRequest, body: str) -> None:
    request_input = {"pullRequestId": pull_request_node(repository, request), "body": body, "state": "CLOSED"}
    mutations = Mutations()
    mutations.add("request", "updatePullRequest", request_input)
    (await mutations.send(transport)).check()


async def delete_branch(transport: Transport, repository: Identity, branch: str, head: str) -> None:
    """Deletes a branch by compare-and-swap, so that nothing is lost that somebody has just pushed."""
    graph = await delete_ref(transport, repository, branch, head)
    for error in graph.errors[:1]:
        if (refused := refusal(branch, error.message, graph.place, error.kind)) is not None:
            raise refused
        raised = error.failure(graph.place)
        raise BranchMoved(branch, error.message, graph.place) if raised.trouble is Trouble.CONFLICT else raised
