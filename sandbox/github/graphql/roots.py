"""Where queries begin."""

from asyncio import gather
from datetime import UTC, datetime
from typing import Any

from sandbox.github.access.asked import timestamp
from sandbox.github.graphql.playing import Playing, Thing, load, plain, plays
from sandbox.github.graphql.repositories import repository_named
from sandbox.github.refusals import Refused

Json = Any
MOST_IDS = 100


@plays("Query", "node")
async def node(playing: Playing, _: None, id: str) -> Thing:  # noqa: A002 (GitHub's name)
    playing.count(1)
    return await load(playing, id)


@plays("Query", "nodes")
async def nodes(playing: Playing, _: None, ids: list[str]) -> list[Any]:
    """In the order of the ids; what is gone is an exception, which becomes null with an error of its own."""
    if len(ids) > MOST_IDS:
        message = f"You may not provide more than {MOST_IDS} node ids; you provided {len(ids)}."
        raise Refused(200, message, kind="ARGUMENT_LIMIT")
    playing.count(len(ids))
    return list(await gather(*(load(playing, node_id) for node_id in ids), return_exceptions=True))


@plays("Query", "repository")
async def repository(playing: Playing, _: None, owner: str, name: str, follow_renames: bool = True) -> Thing:
    playing.count(1)
    found = await repository_named(playing, f"{owner}/{name}", follow_renames=follow_renames)
    if found is None:
        message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
        raise Refused(404, message, kind="NOT_FOUND")
    return found


@plays("Query", "rateLimit")
def rate_limit(playing: Playing, _: None, dry_run: bool = False) -> Thing:
    return Thing("RateLimit", playing.rate)


@plays("RateLimit", "resetAt")
def reset_at(_: Playing, rate: Thing) -> str:
    return timestamp(datetime.fromtimestamp(rate.data["reset"], UTC))


plain("RateLimit", limit="limit", cost="cost", remaining="remaining", used="used", nodeCount="nodeCount")
