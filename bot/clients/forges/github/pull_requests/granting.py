"""Labels, assigns, asks for reviews and lets a pull request merge by itself; what is refused is told."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.clients.forges.github.connection.graphql import GraphAnswer, GraphError
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.pull_requests.commits import Mutations, pull_request_node
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import Granted, MergeRequirements, PullRequest, Refusal, Wishes
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.terms import MergeMethod

_MOST_ASKED_ALONE = 10
PAUSES = (0.5, 2.0, 5.0)
"""Seconds before GitHub is asked again for a pull request that it has just made and does not find yet."""
_NOBODY = "nobody of that name is known"
_NEED_NOT_WAIT = re.compile(r"(clean|unstable|has_hooks) status", re.I)


async def grant(
    transport: Transport, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook
) -> Granted:
    """Grants in one request; labels that the repository lacks are made by one more, a merge at once is one more."""
    node, ids = pull_request_node(repository, request), look.wish_ids
    labels, assignees = _ids_of(wishes.labels, ids.labels), _ids_of(wishes.assignees, ids.people)
    people, teams = _ids_of(wishes.people, ids.people), _ids_of(wishes.teams, ids.teams)
    refused = [
        Refusal(f"no review asked of {name}", ids.unseen.get(name, _NOBODY))
        for name in (*wishes.people, *wishes.teams)
        if name not in people and name not in teams
    ]
    refused += [Refusal(f"not assigned to {name}", _NOBODY) for name in wishes.assignees if name not in assignees]
    mutations = Mutations()
    if labels:
        mutations.add("labels", "addLabelsToLabelable", {"labelableId": node, "labelIds": [*labels.values()]})
    if over := _ids_of(wishes.unlabel, ids.labels):
        mutation_input = {"labelableId": node, "labelIds": [*over.values()]}
        mutations.add("unlabelled", "removeLabelsFromLabelable", mutation_input)
    if people or teams:
        mutations.add("reviews", "requestReviews", _review_input(node, [*people.values()], [*teams.values()]))
    if assignees:
        mutation_input = {"assignableId": node, "assigneeIds": [*assignees.values()]}
        mutations.add("assigned", "addAssigneesToAssignable", mutation_input)
    is_to_merge = _add_merging(mutations, node, request, wishes, look.requirements)
    if mutations.fields:
        graph = await _send_until_found(transport, mutations, node)
        errors = {error.field: error for error in graph.errors}
        graph.check(forgiving={"labels", "reviews", "assigned", "merging"})
        if "merging" in errors:
            refusal = await _merge_now(transport, node, request, wishes, look.requirements, errors["merging"])
            refused += [refusal] if refusal else []
            is_to_merge = refusal is None
        if "labels" in errors:
            refused.append(Refusal(f"not labelled {', '.join(wishes.labels)}", errors["labels"].message))
        if "assigned" in errors:
            refused.append(Refusal(f"not assigned to {', '.join(assignees)}", errors["assigned"].message))
        if "reviews" in errors:
            refused += await _ask_one_by_one(transport, node, people, teams, errors["reviews"])
    if new_labels := [label for label in wishes.labels if label not in labels]:
        refused += await _add_new_labels(transport, repository, request, new_labels)
    return Granted(tuple(refused), is_to_merge)


async def _send_until_found(transport: Transport, mutations: Mutations, node: str) -> GraphAnswer:
    """Sends again what GitHub did for nothing, since it does not find the pull request yet."""
    graph = await mutations.send(transport)
    for pause in PAUSES:
        if not any(error.kind == "NOT_FOUND" and node in error.message for error in graph.errors):
            break
        await asyncio.sleep(pause)
        graph = await mutations.send(transport)
    return graph


def _ids_of(names: Iterable[str], ids: Mapping[str, str | None]) -> dict[str, str]:
    """Those of the names that GitHub knows, each with its id."""
    return {name: node_id for name in names if (node_id := ids.get(name)) is not None}


def _add_merging(
    mutations: Mutations, node: str, request: PullRequest, wishes: Wishes, requirements: MergeRequirements
) -> bool:
    """Whether it is to merge by itself once the document is sent."""
    if wishes.no_merge:
        mutations.add("merging", "disablePullRequestAutoMerge", {"pullRequestId": node})
    elif wishes.merge is not MergeMethod.NEVER and requirements.can_wait:
        method = wishes.merge.value.upper()
        mutation_input = {"pullRequestId": node, "mergeMethod": method, "expectedHeadOid": request.head}
        mutations.add("merging", "enablePullRequestAutoMerge", mutation_input)
        return True
    elif wishes.merge is not MergeMethod.NEVER and requirements.has_queue:
        mutations.add("merging", "enqueuePullRequest", {"pullRequestId": node, "expectedHeadOid": request.head})
        return True
    return False


async def _merge_now(
    transport: Transport,
    node: str,
    request: PullRequest,
    wishes: Wishes,
    requirements: MergeRequirements,
    error: GraphError,
) -> Refusal | None:
    """What need not wait any more is merged, or enters the queue; why not, where it is refused.

    GitHub sets nothing to merge later that it would merge at once.
    """
    if wishes.no_merge:
        return await _out_of_queue(transport, node, error)
    if not _NEED_NOT_WAIT.search(error.message):
        return Refusal("not set to merge by itself", error.message)
    mutations = Mutations()
    mutation_input = {"pullRequestId": node, "expectedHeadOid": request.head}
    if requirements.has_queue:
        mutations.add("merging", "enqueuePullRequest", mutation_input)
    else:
        mutations.add("merging", "mergePullRequest", mutation_input | {"mergeMethod": wishes.merge.value.upper()})
    graph = await mutations.send(transport)
    return next((Refusal("not merged", each.message) for each in graph.errors), None)


async def _out_of_queue(transport: Transport, node: str, error: GraphError) -> Refusal | None:
    mutations = Mutations()
    mutations.add("merging", "dequeuePullRequest", {"id": node})
    graph = await mutations.send(transport)
    return Refusal("not kept from merging", error.message) if graph.errors else None


async def _add_new_labels(
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


async def _ask_one_by_one(
    transport: Transport, node: str, people: Mapping[str, str], teams: Mapping[str, str], error: GraphError
) -> list[Refusal]:
    """GitHub refuses everybody where it does not take one, so then each is asked alone."""
    alone: list[tuple[str, list[str], list[str]]] = [(name, [node_id], []) for name, node_id in people.items()]
    alone += [(name, [], [node_id]) for name, node_id in teams.items()]
    if len(alone) == 1:
        return [Refusal(f"no review asked of {alone[0][0]}", error.message)]
    mutations = Mutations()
    for number, (_, users, groups) in enumerate(alone[:_MOST_ASKED_ALONE]):
        mutations.add(f"r{number}", "requestReviews", _review_input(node, users, groups))
    graph = await mutations.send(transport)
    errors = {each.field: each.message for each in graph.errors}
    return [
        Refusal(f"no review asked of {name}", errors[f"r{number}"])
        for number, (name, _, _) in enumerate(alone[:_MOST_ASKED_ALONE])
        if f"r{number}" in errors
    ]


def _review_input(node: str, people: Sequence[str], teams: Sequence[str]) -> dict[str, Any]:
    """`union` keeps whom people have asked: without it these would be all."""
    return {"pullRequestId": node, "userIds": list(people), "teamIds": list(teams), "union": True}
