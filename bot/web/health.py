"""Whether the process lives, and whether it does its work: open to everybody, and silent about everything else."""

import asyncio
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.failure import Failure
from bot.store.answering import AnsweringStore
from bot.web.site import Site, site_of

_PATIENCE = timedelta(seconds=5)


async def live(request: Request) -> Response:
    """200 as long as the process answers: what hangs in a stage is for `ready` to say."""
    return PlainTextResponse("ok\n")


async def ready(request: Request) -> Response:
    """200 where the store answers, has room, and every stage ticks, else 503 with a line for each thing that is
    wrong."""
    site = site_of(request)
    wrong = list(await site.store_told.get(partial(_store, site)))
    if site.stores[AnsweringStore].no_room is not None:
        wrong.append("the store has no room left")
    wrong += [f"stage {stage} is late" for stage in site.beats.late(site.clock.now())]
    if not site.beats.beats:
        wrong.append("no stage has begun yet")
    return PlainTextResponse("".join(f"{line}\n" for line in wrong or ["ok"]), 503 if wrong else 200)


async def _store(site: Site) -> list[str]:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            await site.stores[AnsweringStore].answer()
    except (Failure, TimeoutError):
        return ["the store does not answer"]
    return []


routes = [Route("/healthz", live, name="live"), Route("/readyz", ready, name="ready")]
