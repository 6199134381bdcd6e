"""Mutations of pull requests."""

from typing import Any

from sandbox.github.graphql.mutations.writing import asked, mutates, require_one, subject
from sandbox.github.graphql.playing import Playing, Thing, load
from sandbox.github.graphql.pull_requests import pull_request_numbered
from sandbox.github.refusals import Refused

Json = Any


async def again(playing: Playing, pull: Thing) -> Json:
    """The payload: the pull request as it is now."""
    playing.forget()
    return {"pullRequest": await pull_request_numbered(playing, pull.of_repository(), pull.data["number"])}


@mutates("createPullRequest", "pull_requests", content=True)
async def create_pull_request(playing: Playing, repository_id: str, **given: Any) -> Json:
    repository = await subject(playing, repository_id, "Repository")
    body = {
        "title": given["title"],
        "head": given["head_ref_name"].removeprefix("refs/heads/"),
        "base": given["base_ref_name"].removeprefix("refs/heads/"),
        "body": given.get("body"),
        "draft": given.get("draft", False),
    }
    opened = await playing.parts.requests.open(playing.request, repository.name, body)
    return {"pullRequest": Thing("PullRequest", opened, repository.data)}


@mutates("updatePullRequest", "pull_requests")
async def update_pull_request(playing: Playing, pull_request_id: str, **given: Any) -> Json:
    """Changes what is given; labels and assignees take the place of those before."""
    pull = await subject(playing, pull_request_id, "PullRequest")
    names = {"title": "title", "body": "body", "base_ref_name": "base", "state": "state"}
    body = {names[key]: value for key, value in given.items() if key in names and value is not None}
    if "state" in body:
        body["state"] = body["state"].lower()
    number = pull.data["number"]
    if body:
        await playing.parts.requests.change(playing.request, pull.name, number, body)
    if given.get("label_ids") is not None:
        labels = {"labels": await label_names(playing, given["label_ids"])}
        await asked(playing, "PUT", f"/repos/{pull.name}/issues/{number}/labels", labels)
    if given.get("assignee_ids") is not None:
        people = [(await _of(playing, one, "User")).data for one in given["assignee_ids"]]
        playing.parts.requests.assign(pull.name, pull.data, people)
    return await again(playing, pull)


@mutates("closePullRequest", "pull_requests")
async def close_pull_request(playing: Playing, pull_request_id: str) -> Json:
    return await _in_state(playing, pull_request_id, "closed")


@mutates("reopenPullRequest", "pull_requests")
async def reopen_pull_request(playing: Playing, pull_request_id: str) -> Json:
    return await _in_state(playing, pull_request_id, "open")


async def _in_state(playing: Playing, pull_request_id: str, state: str) -> Json:
    pull = await subject(playing, pull_request_id, "PullRequest")
    await playing.parts.requests.change(playing.request, pull.name, pull.data["number"], {"state": state})
    return await again(playing, pull)


@mutates("convertPullRequestToDraft", "pull_requests")
async def convert_to_draft(playing: Playing, pull_request_id: str) -> Json:
    return await _as_draft(playing, pull_request_id, draft=True)


@mutates("markPullRequestReadyForReview", "pull_requests")
async def mark_ready(playing: Playing, pull_request_id: str) -> Json:
    return await _as_draft(playing, pull_request_id, draft=False)


async def _as_draft(playing: Playing, pull_request_id: str, *, draft: bool) -> Json:
    pull = await subject(playing, pull_request_id, "PullRequest")
    await playing.parts.requests.change(playing.request, pull.name, pull.data["number"], {"draft": draft})
    return await again(playing, pull)


@mutates("requestReviews", "pull_requests", content=True)
async def request_reviews(
    playing: Playing,
    pull_request_id: str,
    user_ids: list[str] | None = None,
    team_ids: list[str] | None = None,
    union: bool = False,
) -> Json:
    """Without `union` these are all reviewers that are asked from now on."""
    pull = await subject(playing, pull_request_id, "PullRequest")
    people = [(await _of(playing, one, "User")).data["login"] for one in user_ids or ()]
    teams = [(await _of(playing, one, "Team")).data["slug"] for one in team_ids or ()]
    await playing.parts.requests.request_reviews(
        playing.request, pull.name, pull.data, people=people, teams=teams, replace=not union
    )
    return await again(playing, pull)


async def _of(playing: Playing, node_id: str, kind: str) -> Thing:
    thing = await load(playing, node_id)
    if thing.type != kind:
        raise Refused(404, f"Could not resolve to {kind} node with the global id of '{node_id}'.", kind="NOT_FOUND")
    return thing


async def label_names(playing: Playing, ids: list[str]) -> list[str]:
    return [(await _of(playing, one, "Label")).data["name"] for one in ids]


@mutates("addAssigneesToAssignable")
async def add_assignees(playing: Playing, assignable_id: str, assignee_ids: list[str]) -> Json:
    """Adds to those that are there."""
    thing = await _labelable(playing, assignable_id)
    if thing.type != "PullRequest":
        raise Refused(422, "the sandbox does not play addAssigneesToAssignable for issues")
    people = [*thing.data["assignees"], *[(await _of(playing, one, "User")).data for one in assignee_ids]]
    playing.parts.requests.assign(thing.name, thing.data, list({who["login"]: who for who in people}.values()))
    return {"assignable": await _labelable(playing, assignable_id)}


# --- labels ---


@mutates("createLabel", "issues")
async def create_label(
    playing: Playing, repository_id: str, name: str, color: str, description: str | None = None
) -> Json:
    repository = await subject(playing, repository_id, "Repository")
    body = {"name": name, "color": color, "description": description}
    made = await asked(playing, "POST", f"/repos/{repository.name}/labels", body)
    return {"label": Thing("Label", made, repository.data)}


@mutates("addLabelsToLabelable")
async def add_labels(playing: Playing, labelable_id: str, label_ids: list[str]) -> Json:
    thing = await _labelable(playing, labelable_id)
    names = {"labels": await label_names(playing, label_ids)}
    await asked(playing, "POST", f"/repos/{thing.name}/issues/{thing.data['number']}/labels", names)
    return {"labelable": await _labelable(playing, labelable_id)}


@mutates("removeLabelsFromLabelable")
async def remove_labels(playing: Playing, labelable_id: str, label_ids: list[str]) -> Json:
    thing = await _labelable(playing, labelable_id)
    for name in await label_names(playing, label_ids):
        await asked(playing, "DELETE", f"/repos/{thing.name}/issues/{thing.data['number']}/labels/{name}")
    return {"labelable": await _labelable(playing, labelable_id)}


async def _labelable(playing: Playing, node_id: str) -> Thing:
    playing.forget()
    thing = await subject(playing, node_id, "PullRequest", "Issue")
    require_one(playing, ("issues", "pull_requests"))
    return thing
