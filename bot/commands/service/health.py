"""`health`: whether the service on this machine answers."""

from bot.clients.http.client import HostRules, Http, Limits
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.settings import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - asked here, never listened on  # nosec B104
_PATIENCE = Limits(connect=3, read=5, total=8, patience=1, attempts=1, max_bytes=64 * 1024)


async def ask_health(settings: Settings, clock: Clock, *, ready: bool) -> str:
    """What the service says of itself; raises `Failure` where that is not that all is well."""
    own, listen = settings.web.health_listen, settings.web.health_listen or settings.web.listen
    if listen is None:
        raise Failure(Trouble.MISSING, "nothing is served", advice="set web.listen, or ask another way")
    host, _, port = listen.rpartition(":")
    place = f"{_EVERYWHERE.get(host, host)}:{port}"
    async with Http(clock, {place: HostRules(insecure=True)}, _PATIENCE) as http:
        try:
            answer = await http.request("GET", f"http://{place}/{'readyz' if ready else 'healthz'}")
        except Failure as failure:
            setting = "web.listen" if own is None else "web.health_listen"
            advice = f"see that `freshness-bot run` runs here, and listens where {setting} says"
            raise failure.altered(where=place, advice=advice) from failure
    answer_text = "; ".join(answer.body.decode("utf-8", "replace").split("\n")).strip("; ")
    if answer.status != 200:
        raise Failure(Trouble.UNREACHABLE, f"answers {answer.status}: {answer_text}"[:300], where=place)
    return answer_text
