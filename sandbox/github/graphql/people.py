"""Users, bots, organisations and teams."""

from typing import Any
from urllib.parse import quote

from sandbox.github.graphql.playing import Playing, Thing, connection, loads, plain, plays
from sandbox.github.refusals import Refused
from sandbox.github.repositories.identity import Node

Json = Any

for _kind in ("User", "Bot", "Organization"):
    plain(_kind, id="node_id", login="login", databaseId="id", url="html_url")
plain("User", name="name")
plain("Team", id="node_id", slug="slug", name="name", databaseId="id")


@plays("Query", "viewer")
async def viewer(playing: Playing, _: None) -> Thing:
    """The schema has users only here; GitHub shows an App's bot in a user's clothes."""
    return Thing("User", await playing.parts.edge.caller(playing.request))


@plays("GitActor", "user")
async def author_as_user(playing: Playing, actor: Thing) -> Thing | None:
    """Whose address it is, in the form that GitHub gives to users; null for any other, and for an App's bot."""
    local, _, domain = str(actor.data["email"]).partition("@")
    login = local.rpartition("+")[2]
    if domain != "users.noreply.github.com" or login.endswith("[bot]"):
        return None
    answer = await playing.parts.edge.call("GET", f"/users/{quote(login)}")
    return Thing("User", answer.body) if answer.status == 200 else None


@plays("Query", "user")
async def user(playing: Playing, _: None, login: str) -> Thing:
    return await _found(playing, "User", f"/users/{quote(login)}", f"a User with the login of '{login}'")


@plays("Query", "organization")
async def organization(playing: Playing, _: None, login: str) -> Thing:
    found = f"an Organization with the login of '{login}'"
    return await _found(playing, "Organization", f"/orgs/{quote(login)}", found)


@plays("Organization", "team")
async def team(playing: Playing, organization: Thing, slug: str) -> Thing | None:
    answer = await playing.parts.edge.call("GET", f"/orgs/{organization.data['login']}/teams/{quote(slug)}")
    return Thing("Team", answer.body) if answer.status == 200 else None


@plays("Organization", "teams")
async def teams(playing: Playing, organization: Thing, **page: Any) -> Json:
    answer = await playing.parts.edge.call("GET", f"/orgs/{organization.data['login']}/teams?per_page=100")
    bounds = {side: page[side] for side in ("first", "after", "last", "before") if side in page}
    return connection([Thing("Team", row) for row in answer.body], **bounds)


async def _found(playing: Playing, kind: str, path: str, what: str) -> Thing:
    answer = await playing.parts.edge.call("GET", path)
    if answer.status != 200:
        raise Refused(404, f"Could not resolve to {what}.", kind="NOT_FOUND")
    return Thing(kind, answer.body)


async def _load_person(playing: Playing, node: Node) -> Thing | None:
    path = f"/orgs/{quote(node.key)}" if node.type == "Organization" else f"/users/{quote(node.key)}"
    answer = await playing.parts.edge.call("GET", path)
    return Thing(node.type, answer.body) if answer.status == 200 else None


for _kind in ("User", "Organization"):
    loads(_kind)(_load_person)


@loads("Team")
async def load_team(playing: Playing, node: Node) -> Thing | None:
    organisation, _, slug = node.key.partition("/")
    answer = await playing.parts.edge.call("GET", f"/orgs/{organisation}/teams/{quote(slug)}")
    return Thing("Team", answer.body) if answer.status == 200 else None
