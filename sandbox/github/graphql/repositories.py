"""Repositories and what hangs directly on them."""

from typing import Any
from urllib.parse import quote

from sandbox.github.graphql.playing import Playing, Thing, connection, loads, plain, plays
from sandbox.github.refusals import Refused
from sandbox.github.repositories.identity import Node

Json = Any
HEADS = "refs/heads/"

plain(
    "Repository",
    id="node_id",
    databaseId="id",
    name="name",
    nameWithOwner="full_name",
    description="description",
    url="html_url",
    isArchived="archived",
    isDisabled="disabled",
    isFork="fork",
    isPrivate="private",
    pushedAt="pushed_at",
    createdAt="created_at",
    updatedAt="updated_at",
    autoMergeAllowed="allow_auto_merge",
    squashMergeAllowed="allow_squash_merge",
    rebaseMergeAllowed="allow_rebase_merge",
    mergeCommitAllowed="allow_merge_commit",
    deleteBranchOnMerge="delete_branch_on_merge",
    hasIssuesEnabled="has_issues",
)
plain("Label", id="node_id", name="name", color="color", description="description", isDefault="default")


async def repository_named(playing: Playing, name: str, *, follow_renames: bool = True) -> Thing | None:
    """By any name that it has or had; None where the caller may not see one."""
    identities = playing.parts.edge.identities
    number = identities.number_of(name)
    if number is None or (identities.is_former(name) and not follow_renames):
        return None
    return await repository_numbered(playing, number)


async def repository_numbered(playing: Playing, number: int) -> Thing | None:
    shown = await playing.once(("repository", number), lambda: _fetched(playing, number))
    return None if shown is None else Thing("Repository", shown)


async def _fetched(playing: Playing, number: int) -> Json | None:
    name = playing.parts.edge.identities.name_of(number)
    if name is None or not playing.parts.edge.sees(playing.request, number):
        return None
    playing.parts.edge.check_single_sign_on(playing.request, name)
    answer = await playing.parts.edge.call("GET", f"/repos/{name}")
    return answer.body if answer.status == 200 else None


@loads("Repository")
async def load_repository(playing: Playing, node: Node) -> Thing | None:
    return await repository_numbered(playing, node.repository_id or 0)


@loads("Label")
async def load_label(playing: Playing, node: Node) -> Thing | None:
    repository = await repository_numbered(playing, node.repository_id or 0)
    return None if repository is None else await label(playing, repository, node.key)


@plays("Repository", "label")
async def label(playing: Playing, repository: Thing, name: str) -> Thing | None:
    answer = await playing.parts.edge.call("GET", f"/repos/{repository.name}/labels/{quote(name, safe='')}")
    return Thing("Label", answer.body, repository.data) if answer.status == 200 else None


@plays("Repository", "labels")
async def labels(playing: Playing, repository: Thing, query: str | None = None, **page: Any) -> Json:
    page.pop("order_by", None)
    answer = await playing.parts.edge.call("GET", f"/repos/{repository.name}/labels?per_page=100")
    rows = [row for row in answer.body if query is None or query.lower() in row["name"].lower()]
    return connection([Thing("Label", row, repository.data) for row in rows], **page)


@plays("Label", "repository")
def of_label(_: Playing, thing: Thing) -> Thing:
    return Thing("Repository", thing.repository)


@plays("Repository", "owner")
def owner(_: Playing, repository: Thing) -> Thing:
    return Thing(repository.data["owner"]["type"], repository.data["owner"])


@plays("Repository", "visibility")
def visibility(_: Playing, repository: Thing) -> str:
    return "PRIVATE" if repository.data["private"] else "PUBLIC"


@plays("Repository", "isInOrganization")
def is_in_organization(_: Playing, repository: Thing) -> bool:
    return bool(repository.data["owner"]["type"] == "Organization")


@plays("Repository", "isLocked")
def is_locked(_: Playing, repository: Thing) -> bool:
    return repository.data.get("lock_reason") is not None


@plays("Repository", "lockReason")
def lock_reason(_: Playing, repository: Thing) -> str | None:
    """What `create_repository(…, lock_reason="MIGRATING")` said; REST has no word for it."""
    reason: str | None = repository.data.get("lock_reason")
    return reason


@plays("Repository", "isEmpty")
async def is_empty(playing: Playing, repository: Thing) -> bool:
    return not await playing.parts.git.refs(repository.name, HEADS)


@plays("Repository", "viewerPermission")
def viewer_permission(playing: Playing, repository: Thing) -> str | None:
    """Null for an App, whose permissions no single word tells."""
    return None if playing.parts.edge.grant(playing.request) is not None else "ADMIN"


@plays("Repository", "repositoryTopics")
def topics(_: Playing, repository: Thing, **page: Any) -> Json:
    return connection([{"topic": {"name": name}} for name in repository.data.get("topics", ())], **page)


@plays("Organization", "repositories")
async def repositories(playing: Playing, organization: Thing, **page: Any) -> Json:
    for unplayed in page.keys() - {"first", "after", "last", "before", "affiliations", "order_by"}:
        raise Refused(422, f"the sandbox does not play Organization.repositories({unplayed}:)")
    bounds = {side: page[side] for side in ("first", "after", "last", "before") if side in page}
    numbers = playing.parts.edge.identities.numbers_of(organization.data["login"])
    found = [await repository_numbered(playing, number) for number in numbers]
    return connection([thing for thing in found if thing is not None], **bounds)
