"""`PUT /api/v1/running/SOURCE`: a cluster that is not asked tells what runs in it.

Who sends is known by a token that is bound to the one source, before the body is read.
"""

import asyncio
import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.clock import is_yet_to_come
from bot.domain.running.written import NoSnapshot, read_snapshot
from bot.web.access.bounds import SNAPSHOTS
from bot.web.access.guard import note_wrong_token
from bot.web.site import Site, site_of

_SCHEME = "bearer "
_NOBODY = "0" * 64


async def take_snapshot(request: Request) -> Response:
    """Keeps what a source runs: 202; 400 no snapshot, 403 not its token, 409 a later one is known."""
    site, source = site_of(request), request.path_params["source"]
    if not _is_sender(request, site, source):
        note_wrong_token(request, site)
        return _answered(site, "forged", 403, "this is not the token of a source of that name")
    try:
        snapshot = await asyncio.to_thread(read_snapshot, await request.body())
    except NoSnapshot as error:
        return _answered(site, "malformed", 400, f"this is no snapshot: {error}")
    if is_yet_to_come(snapshot.taken_at, site.clock.now()):
        return _answered(
            site, "malformed", 400, "taken_at is yet to come; set the clocks of the cluster right by NTP"
        )
    from bot.fleet.running.rows import RunningStore

    if not await site.stores[RunningStore].save_snapshot(source, snapshot):
        return _answered(site, "repeated", 409, "a later snapshot of this source is known")
    return _answered(site, "taken", 202, "kept")


def _is_sender(request: Request, site: Site, source: str) -> bool:
    """Whether the token is that of the source; one that is not there takes as long to be refused."""
    headers = request.headers.getlist("authorization")
    is_bearer = len(headers) == 1 and headers[0].lower().startswith(_SCHEME)
    shown = headers[0][len(_SCHEME) :].strip() if is_bearer else ""
    token = site.senders.clusters.get(source)
    is_right = hmac.compare_digest((token or _NOBODY).encode(), shown.encode("utf-8", "surrogateescape"))
    return token is not None and is_right


def _answered(site: Site, outcome: str, status: int, detail: str) -> Response:
    site.meter.delivered("cluster", outcome)
    return JSONResponse({"detail": detail}, status)


routes = [Route(f"{SNAPSHOTS}{{source}}", take_snapshot, methods=["PUT"], name="running-snapshot")]
