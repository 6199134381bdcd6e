"""A Prometheus that is asked what ran in a cluster, one window at a time, each by one request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from bot.clients.http.answers import MEBIBYTE, Answer
from bot.clients.http.client import Http, Limits, Nobody, Observer
from bot.clients.kubernetes.access import ClusterAccess, trouble_of
from bot.clients.prometheus.series import NoSeries, question, window_of
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.running.backfill import STEP, SampledWindow

_PATH = "/api/v1/query_range"
_LIMITS = Limits(max_bytes=32 * MEBIBYTE)
_LONGEST_REASON = 200
_NARROWER = "name its namespaces in several sources"


@dataclass(frozen=True, slots=True)
class PrometheusReader:
    """Asks for the containers with these `labels`, of `namespaces` or of all, but for those that globs of `exclude`
    match. `opened` reads anew how it is reached, and `limits` bound each request."""

    opened: Callable[[], ClusterAccess]
    clock: Clock
    labels: Mapping[str, str] = field(default_factory=dict)
    namespaces: Sequence[str] = ()
    exclude: Sequence[str] = ()
    observer: Observer = field(default_factory=Nobody)
    limits: Limits = _LIMITS

    async def window(self, since: datetime, until: datetime) -> SampledWindow:
        """What ran at the moments of the grid from `since` to `until`. Raises `Failure`."""
        access = self.opened()
        asked = {"query": question(self.labels, self.namespaces), "step": int(STEP.total_seconds())}
        asked |= {"start": int(since.timestamp()), "end": int(until.timestamp())}
        headers = access.headers | {"Accept": "application/json"}
        where = f"{access.host}{_PATH}"
        async with Http(self.clock, {access.host: access.rules()}, self.limits, observer=self.observer) as http:
            url = f"{access.server}{_PATH}?{urlencode(asked)}"
            try:
                answer = await http.request("GET", url, headers=headers)
            except Failure as failure:
                raise failure if failure.advice else failure.altered(advice=_NARROWER) from None
        if answer.status != 200:
            raise _refusal(answer, where)
        try:
            return window_of(answer.json(), since, until, self.namespaces, self.exclude)
        except NoSeries as error:
            what, _, advice = str(error).partition("; ")
            raise Failure(Trouble.MALFORMED, what, where=where, advice=advice, status=200) from None


def _refusal(answer: Answer, where: str) -> Failure:
    told = _message(answer)
    match answer.status:
        case 401 | 403:
            what, advice = (
                f"does not let its series be read ({answer.status}){told}",
                "give past a token_file that may",
            )
        case 404:
            what, advice = "is no Prometheus", "check the address"
        case 400 | 422:
            what, advice = f"does not answer the question ({answer.status}){told}", _NARROWER
        case status:
            what, advice = f"gave an unexpected answer ({status}){told}", "check the address"
    return Failure(trouble_of(answer.status), what, where=where, advice=advice, status=answer.status)


def _message(answer: Answer) -> str:
    """The reason that a Prometheus gives."""
    try:
        match answer.json():
            case {"error": str() as reason}:
                printable = "".join(letter for letter in reason if letter.isprintable())
                return f": {printable[:_LONGEST_REASON]}"
    except Failure:
        pass
    return ""
