"""How a field of GitHub's schema is played: a table of functions, and what they share during one request."""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, TypeVar

from graphql import GraphQLResolveInfo
from starlette.requests import Request

from sandbox.github.access.permissions import NODES, READS, require
from sandbox.github.actions.actions import Actions
from sandbox.github.edge import GitHubEdge
from sandbox.github.pull_requests.merging import Merging
from sandbox.github.pull_requests.pull_requests import PullRequests
from sandbox.github.refusals import Refused
from sandbox.github.repositories.git import Git
from sandbox.github.repositories.identity import Node
from sandbox.github.repositories.refs import Refs

Json = Any
Player = Callable[..., Any]
P = TypeVar("P", bound=Player)
L = TypeVar("L", bound=Callable[..., Awaitable[Any]])

NEW_FORM = "NEW_"
"""How node ids of another form begin here."""
NO_NODE = "Could not resolve to a node with the global id of '{}'"
TOO_MUCH = "Resource limits for this query exceeded."


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of GitHub's: `type` is the schema's, `data` what REST shows or what makes it up."""

    type: str
    data: Json
    repository: Json = None
    """As REST shows it, for what belongs to one."""

    @property
    def name(self) -> str:
        """The full name of its repository."""
        return str(self.of_repository().data["full_name"])

    def of_repository(self) -> "Thing":
        return self if self.type == "Repository" else Thing("Repository", self.repository)


@dataclass(frozen=True, slots=True)
class Parts:
    """What of the sandbox's GitHub is played."""

    edge: GitHubEdge
    git: Git
    requests: PullRequests
    refs: Refs
    merging: Merging
    actions: Actions


@dataclass(slots=True)
class Playing:
    """One GraphQL request."""

    parts: Parts
    request: Request
    rate: Json = None
    resolved: int = 0
    _loaded: dict[tuple[object, ...], "asyncio.Task[Any]"] = field(default_factory=dict)

    async def once(self, key: tuple[object, ...], fetch: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What `fetch` answers, asked for once in this request however many fields want it."""
        if key not in self._loaded:
            self._loaded[key] = asyncio.ensure_future(fetch())
        return await self._loaded[key]

    def forget(self) -> None:
        """What was loaded may have changed."""
        self._loaded.clear()

    def count(self, objects: int) -> None:
        """Raises `Refused` where the request asks for more than GitHub is ready to compute."""
        self.resolved += objects
        most = self.parts.edge.limits.most_nodes
        if most is not None and self.resolved > most:
            raise Refused(200, TOO_MUCH, kind="RESOURCE_LIMITS_EXCEEDED")


FIELDS: dict[tuple[str, str], Player] = {}
LOADERS: dict[str, Callable[[Playing, Node], Awaitable[Thing | None]]] = {}


def plays(type_name: str, field_name: str) -> Callable[[P], P]:
    """The function gets the request, the object and the field's arguments, and answers its value."""

    def enter(player: P) -> P:
        FIELDS[type_name, field_name] = player
        return player

    return enter


def plain(type_name: str, **keys: str) -> None:
    """Fields that REST shows under another key."""
    for field_name, key in keys.items():
        FIELDS[type_name, field_name] = lambda _, thing, key=key: thing.data[key]


def loads(type_name: str) -> Callable[[L], L]:
    """The function answers the object that a node id stands for, None where it is gone."""

    def enter(loader: L) -> L:
        LOADERS[type_name] = loader
        return loader

    return enter


async def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """The field resolver of every execution.

    It is a coroutine for each field: graphql-core leaves others unawaited where one fails at once.
    """
    type_name, field_name = info.parent_type.name, info.field_name
    if (needed := READS.get((type_name, field_name))) is not None:
        require_to_read(info.context, needed)
    if (player := FIELDS.get((type_name, field_name))) is not None:
        value = player(info.context, source, **{snake(name): value for name, value in arguments.items()})
        value = await value if isawaitable(value) else value
        is_renewed = field_name == "id" and info.context.parts.edge.renews_node_ids
        return NEW_FORM + str(value) if is_renewed else value
    if isinstance(source, Mapping) and field_name in source:
        return source[field_name]
    complaint = f"the sandbox does not play {type_name}.{field_name}"
    info.context.parts.edge.surroundings.traffic.violations.append(complaint)
    raise Refused(422, complaint)


def require_to_read(playing: Playing, needed: Sequence[str]) -> None:
    """Raises `Refused` where the caller has none of these permissions."""
    require(playing.parts.edge.rights(playing.request), needed, "read")


def type_of(thing: Any, *_: object) -> str:
    return str(thing.type)


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name)


async def load(playing: Playing, node_id: str) -> Thing:
    """The object of a node id. Raises `Refused` with NOT_FOUND where it is gone, or was never there."""
    node = playing.parts.edge.identities.node(node_id.removeprefix(NEW_FORM))
    thing = None
    if node is not None and (needed := NODES.get(node.type)) is not None:
        require_to_read(playing, needed)
    if node is not None and (loader := LOADERS.get(node.type)) is not None:
        thing = await loader(playing, node)
    if thing is None:
        raise Refused(404, NO_NODE.format(node_id), kind="NOT_FOUND")
    return thing


def connection(
    things: Sequence[Any],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> dict[str, Json]:
    """One page of `things`, as every connection of the schema has it."""
    begin = _place(after) if after else 0
    end = _place(before) - 1 if before else len(things)
    if first is not None:
        end = min(end, begin + first)
    if last is not None:
        begin = max(begin, end - last)
    shown = list(things[begin:end])
    edges = [{"node": thing, "cursor": _cursor(begin + place)} for place, thing in enumerate(shown, 1)]
    page = {
        "hasNextPage": end < len(things),
        "hasPreviousPage": begin > 0,
        "startCursor": edges[0]["cursor"] if edges else None,
        "endCursor": edges[-1]["cursor"] if edges else None,
    }
    return {"nodes": shown, "edges": edges, "totalCount": len(things), "pageInfo": page}


def _cursor(place: int) -> str:
    return base64.b64encode(f"cursor:v2:{place}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("cursor:v2:"))
    except ValueError as error:
        raise Refused(
            422, f"`{cursor}` does not appear to be a valid cursor.", kind="INVALID_CURSOR_ARGUMENTS"
        ) from (error)
