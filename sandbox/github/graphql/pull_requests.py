"""Pull requests and issues."""

from typing import Any

from sandbox.github.graphql.playing import Playing, Thing, connection, loads, plain, plays
from sandbox.github.graphql.repositories import repository_numbered
from sandbox.github.graphql.runs import rollup_of
from sandbox.github.refusals import Refused
from sandbox.github.repositories.identity import Node

Json = Any
BOUNDS = ("first", "after", "last", "before")

plain(
    "PullRequest",
    id="node_id",
    number="number",
    title="title",
    url="html_url",
    isDraft="draft",
    locked="locked",
    createdAt="created_at",
    updatedAt="updated_at",
    mergedAt="merged_at",
    closedAt="closed_at",
)
plain(
    "Issue", id="node_id", number="number", title="title", url="html_url", locked="locked", createdAt="created_at"
)


# --- finding them ---


async def pull_request_numbered(playing: Playing, repository: Thing, number: int | str) -> Thing | None:
    key = ("pull", repository.data["id"], int(number))
    shown = await playing.once(key, lambda: playing.parts.requests.current(repository.name, number))
    return None if shown is None else Thing("PullRequest", shown, repository.data)


@loads("PullRequest")
async def load_pull_request(playing: Playing, node: Node) -> Thing | None:
    repository = await repository_numbered(playing, node.repository_id or 0)
    if repository is None or not playing.parts.requests.is_shown(repository.data["id"], int(node.key)):
        return None
    return await pull_request_numbered(playing, repository, node.key)


@plays("Repository", "pullRequest")
async def pull_request(playing: Playing, repository: Thing, number: int) -> Thing:
    playing.count(1)
    shown = await pull_request_numbered(playing, repository, number)
    if shown is None:
        raise Refused(404, f"Could not resolve to a PullRequest with the number of {number}.", kind="NOT_FOUND")
    return shown


@plays("Repository", "pullRequests")
async def pull_requests(playing: Playing, repository: Thing, **wanted: Any) -> Json:
    answer = await playing.parts.edge.call(
        "GET", f"/repos/{repository.name}/pulls?state=all&per_page=100&direction=asc"
    )
    return await _listed(playing, repository, answer.body, wanted)


@plays("Ref", "associatedPullRequests")
async def of_branch(playing: Playing, thing: Thing, **wanted: Any) -> Json:
    branch = str(thing.data["ref"]).removeprefix("refs/heads/")
    rows = await playing.parts.requests.of_branch(thing.name, branch, "all")
    return await _listed(playing, Thing("Repository", thing.repository), rows[::-1], wanted)


@plays("Commit", "associatedPullRequests")
async def of_commit(playing: Playing, thing: Thing, **wanted: Any) -> Json:
    """The merged one that brought the commit, or the open ones that have it as their head."""
    answer = await playing.parts.edge.call("GET", f"/repos/{thing.name}/pulls?state=all&per_page=100&direction=asc")
    rows = [await playing.parts.requests.follow(thing.name, row) for row in answer.body]
    oid = thing.data["oid"]
    rows = [row for row in rows if oid in (row["merge_commit_sha"], row["head"]["sha"])]
    return await _listed(playing, Thing("Repository", thing.repository), rows, wanted)


async def _listed(playing: Playing, repository: Thing, rows: list[Json], wanted: dict[str, Any]) -> Json:
    order = wanted.get("order_by") or {"field": "CREATED_AT", "direction": "ASC"}
    if order["direction"] == "DESC":
        rows = rows[::-1]
    hidden, number = playing.parts.requests.hidden, repository.data["id"]
    fitting = [row for row in rows if _fits(row, wanted) and not hidden.get((number, row["number"]))]
    page = connection(fitting, **{side: wanted[side] for side in BOUNDS if side in wanted})
    playing.count(len(page["nodes"]))
    things = [
        Thing("PullRequest", await playing.parts.requests.follow(repository.name, row), repository.data)
        for row in page["nodes"]
    ]
    edges = [{**edge, "node": thing} for edge, thing in zip(page["edges"], things, strict=True)]
    return {**page, "nodes": things, "edges": edges}


def _fits(row: Json, wanted: dict[str, Any]) -> bool:
    labels = {label["name"] for label in row["labels"]}
    return (
        (wanted.get("states") is None or _state(row) in wanted["states"])
        and wanted.get("head_ref_name") in (None, row["head"]["ref"])
        and wanted.get("base_ref_name") in (None, row["base"]["ref"])
        and (wanted.get("labels") is None or bool(labels & set(wanted["labels"])))
    )


# --- what they show ---


def _state(row: Json) -> str:
    return "MERGED" if row.get("merged_at") else str(row["state"]).upper()


plays("PullRequest", "state")(lambda _, pull: _state(pull.data))
plays("PullRequest", "merged")(lambda _, pull: _state(pull.data) == "MERGED")
plays("PullRequest", "closed")(lambda _, pull: _state(pull.data) != "OPEN")
plays("PullRequest", "body")(lambda _, pull: pull.data["body"] or "")
plays("PullRequest", "headRefOid")(lambda _, pull: pull.data["head"]["sha"])
plays("PullRequest", "headRefName")(lambda _, pull: pull.data["head"]["ref"])
plays("PullRequest", "baseRefName")(lambda _, pull: pull.data["base"]["ref"])
plays("PullRequest", "baseRefOid")(lambda _, pull: pull.data["base"]["sha"])
plays("PullRequest", "repository")(lambda _, pull: Thing("Repository", pull.repository))
plays("PullRequest", "isCrossRepository")(lambda _, pull: pull.data["head"]["repo"]["id"] != pull.repository["id"])
plays("PullRequest", "databaseId")(lambda _, pull: pull.data["id"])
plays("PullRequest", "fullDatabaseId")(lambda _, pull: str(pull.data["id"]))


@plays("PullRequest", "author")
def author(_: Playing, pull: Thing) -> Thing | None:
    who = pull.data["user"]
    return None if who is None else Thing(who["type"], who)


@plays("PullRequest", "headRef")
async def head_ref(playing: Playing, pull: Thing) -> Thing | None:
    name = f"refs/heads/{pull.data['head']['ref']}"
    oid = await playing.parts.git.ref(pull.name, name)
    return None if oid is None else Thing("Ref", {"ref": name, "oid": oid}, pull.repository)


@plays("PullRequest", "mergeCommit")
def merge_commit(_: Playing, pull: Thing) -> Thing | None:
    oid = pull.data["merge_commit_sha"] if _state(pull.data) == "MERGED" else None
    return None if oid is None else Thing("Commit", {"oid": oid}, pull.repository)


@plays("PullRequest", "mergeable")
async def mergeable(playing: Playing, pull: Thing) -> str:
    if _state(pull.data) != "OPEN":
        return "UNKNOWN"
    return await playing.parts.requests.mergeable(pull.name, pull.data)


@plays("PullRequest", "mergeStateStatus")
async def merge_state(playing: Playing, pull: Thing) -> str:
    if _state(pull.data) != "OPEN":
        return "UNKNOWN"
    state = await playing.parts.requests.merge_state(pull.name, pull.data)
    return "BLOCKED" if state == "draft" else state.upper()


@plays("PullRequest", "reviewDecision")
async def review_decision(playing: Playing, pull: Thing) -> str | None:
    return await playing.parts.requests.requirements.review_decision(pull.name, pull.data)


@plays("PullRequest", "statusCheckRollup")
async def rollup(playing: Playing, pull: Thing) -> Thing | None:
    return rollup_of(playing, pull.repository, pull.data["head"]["sha"])


@plays("PullRequest", "labels")
def labels(_: Playing, pull: Thing, **page: Any) -> Json:
    page.pop("order_by", None)
    return connection([Thing("Label", row, pull.repository) for row in pull.data["labels"]], **page)


@plays("PullRequest", "reviewRequests")
def review_requests(_: Playing, pull: Thing, **page: Any) -> Json:
    people = [Thing("User", who) for who in pull.data["requested_reviewers"]]
    teams = [Thing("Team", team) for team in pull.data["requested_teams"]]
    return connection([{"requestedReviewer": who} for who in (*people, *teams)], **page)


@plays("PullRequest", "assignees")
def assignees(_: Playing, pull: Thing, **page: Any) -> Json:
    return connection([Thing("User", who) for who in pull.data["assignees"]], **page)


@plays("PullRequest", "commits")
async def commits(playing: Playing, pull: Thing, **page: Any) -> Json:
    compared = await playing.parts.git.compare(pull.name, pull.data["base"]["sha"], pull.data["head"]["sha"])
    found = [row["sha"] for row in compared["commits"]] if compared else []
    things = [
        {
            "commit": Thing("Commit", {"oid": oid}, pull.repository),
            "pullRequest": pull,
            "url": pull.data["html_url"],
        }
        for oid in found
    ]
    return connection(things, **page)


# --- issues ---


@loads("Issue")
async def load_issue(playing: Playing, node: Node) -> Thing | None:
    repository = await repository_numbered(playing, node.repository_id or 0)
    return None if repository is None else await issue(playing, repository, int(node.key))


@plays("Repository", "issue")
async def issue(playing: Playing, repository: Thing, number: int) -> Thing | None:
    answer = await playing.parts.edge.call("GET", f"/repos/{repository.name}/issues/{number}")
    if answer.status != 200 or answer.body.get("pull_request"):
        return None
    return Thing("Issue", answer.body, repository.data)


@plays("Repository", "issues")
async def issues(playing: Playing, repository: Thing, **wanted: Any) -> Json:
    answer = await playing.parts.edge.call(
        "GET", f"/repos/{repository.name}/issues?state=all&per_page=100&direction=asc"
    )
    rows = [row for row in answer.body if not row.get("pull_request")]
    labels = set(wanted.get("labels") or ())
    rows = [
        row
        for row in rows
        if (wanted.get("states") is None or row["state"].upper() in wanted["states"])
        and (not labels or labels & {label["name"] for label in row["labels"]})
    ]
    bounds = {side: wanted[side] for side in BOUNDS if side in wanted}
    return connection([Thing("Issue", row, repository.data) for row in rows], **bounds)


plays("Issue", "state")(lambda _, issue: issue.data["state"].upper())
plays("Issue", "closed")(lambda _, issue: issue.data["state"] == "closed")
plays("Issue", "body")(lambda _, issue: issue.data["body"] or "")
plays("Issue", "repository")(lambda _, issue: Thing("Repository", issue.repository))
plays("Issue", "labels")(labels)
plays("Issue", "author")(author)
