"""Mutations of issues and comments."""

from typing import Any

from sandbox.github.graphql.mutations.changing_pull_requests import label_names
from sandbox.github.graphql.mutations.writing import asked, mutates, require_one, subject
from sandbox.github.graphql.playing import Playing, Thing, plain, plays

Json = Any

plain("IssueComment", id="node_id", body="body", url="html_url", createdAt="created_at", databaseId="id")
plays("IssueComment", "repository")(lambda _, comment: Thing("Repository", comment.repository))


@mutates("addComment", content=True)
async def add_comment(playing: Playing, subject_id: str, body: str) -> Json:
    thing = await subject(playing, subject_id, "PullRequest", "Issue")
    require_one(playing, ("issues", "pull_requests"))
    path = f"/repos/{thing.name}/issues/{thing.data['number']}/comments"
    made = Thing("IssueComment", await asked(playing, "POST", path, {"body": body}), thing.repository)
    return {"commentEdge": {"node": made, "cursor": ""}, "subject": thing}


@mutates("createIssue", "issues", content=True)
async def create_issue(playing: Playing, repository_id: str, title: str, **given: Any) -> Json:
    repository = await subject(playing, repository_id, "Repository")
    body: Json = {"title": title, "body": given.get("body")}
    if given.get("label_ids"):
        body["labels"] = await label_names(playing, given["label_ids"])
    made = await asked(playing, "POST", f"/repos/{repository.name}/issues", body)
    return {"issue": Thing("Issue", made, repository.data)}


@mutates("updateIssue", "issues")
async def update_issue(playing: Playing, id: str, **given: Any) -> Json:  # noqa: A002 (GitHub's name)
    thing = await subject(playing, id, "Issue")
    body = {key: given[key] for key in ("title", "body") if given.get(key) is not None}
    if given.get("state") is not None:
        body["state"] = given["state"].lower()
    if given.get("label_ids") is not None:
        body["labels"] = await label_names(playing, given["label_ids"])
    changed = await asked(playing, "PATCH", f"/repos/{thing.name}/issues/{thing.data['number']}", body)
    return {"issue": Thing("Issue", changed, thing.repository)}


@mutates("closeIssue", "issues")
async def close_issue(playing: Playing, issue_id: str, state_reason: str | None = None, **_: Any) -> Json:
    thing = await subject(playing, issue_id, "Issue")
    body = {"state": "closed", "state_reason": (state_reason or "COMPLETED").lower()}
    changed = await asked(playing, "PATCH", f"/repos/{thing.name}/issues/{thing.data['number']}", body)
    return {"issue": Thing("Issue", changed, thing.repository)}


@mutates("reopenIssue", "issues")
async def reopen_issue(playing: Playing, issue_id: str) -> Json:
    thing = await subject(playing, issue_id, "Issue")
    path = f"/repos/{thing.name}/issues/{thing.data['number']}"
    return {"issue": Thing("Issue", await asked(playing, "PATCH", path, {"state": "open"}), thing.repository)}
