"""What maintainers of one, fifty and five thousand repositories get, posted over HTTP within every limit."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clients.http.client import HostRules, Http
from bot.clients.notifiers.slack import SlackBot, SlackWebhook
from bot.clients.notifiers.teams import TeamsWebhook
from bot.domain.bases.change import Change
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.wording.message import Message
from bot.fleet.report.messages.rollout import rollout_message
from bot.fleet.report.messages.stops import FailedRebuild
from bot.fleet.report.messages.summary import summary_message
from bot.fleet.report.messages.waves import WaveNews, wave_message
from bot.fleet.wiring.adapters import SlackChannel, TeamsChannel
from bot.views.fleet.fleet import Standing
from bot.views.fleet.summary import Lag, RolledOut, Stuck, Summary
from sandbox.edges.serving import Server
from sandbox.world import World
from tests.builders import NOON, change, rebuild, rollout
from tests.slack_limits import check, texts

SIZES = (1, 50, 5000)
REASON = "the run ended with failure: the job build-and-push ended in the step docker/build-push-action"


def bases(size: int) -> list[Base]:
    families = [f"dotnet/{name}" for name in ("aspnet", "sdk", "runtime", "runtime-deps")]
    tags = [f"{channel}.0{rest}" for channel in (8, 9, 10) for rest in ("", "-noble", "-noble-chiseled", "-alpine")]
    every = [Base("mcr.microsoft.com", family, tag) for tag in tags for family in families]
    return every[: max(1, min(len(every), size // 10))]


def changes(size: int) -> tuple[Change, ...]:
    cves = tuple(f"CVE-2026-2{number:04}" for number in range(min(1 + size // 25, 30)))
    ratings = ((cves[0], Severity.HIGH),)
    return tuple(change(base, cves=cves, severity=Severity.HIGH, ratings=ratings) for base in bases(size))


def name(number: int) -> str:
    return f"contoso-retail-platform/checkout-and-payments-service-{number:04}"


def fleet(size: int) -> list[Rebuild]:
    """Of a hundred 6 have failed, 20 are open, 10 are built without a proof, the others have succeeded."""
    found = []
    for number in range(size):
        place = number % 100
        state = (
            RebuildState.FAILED
            if place < 6
            else RebuildState.OPEN
            if place < 26
            else RebuildState.BUILT
            if place < 36
            else RebuildState.SUCCEEDED
        )
        reason = REASON if state is RebuildState.FAILED else "not proven: no image of this repository is known"
        url = f"https://github.com/{name(number)}/pull/{number}"
        found.append(rebuild(name(number), state, id=number, reason=reason, url=url))
    return found


def summary(size: int) -> Summary:
    failed = size * 6 // 100
    waiting = [each for each in fleet(min(size, 10)) if each.state is not RebuildState.SUCCEEDED]
    title = ".NET 10.0.5 fixes 3 CVEs, 2 HIGH"
    return Summary(
        NOON - timedelta(days=7),
        NOON,
        standings={Standing.CURRENT: size - failed, Standing.FAILED: failed, Standing.NO_BASE: size // 5},
        before={Standing.CURRENT: size - failed, Standing.BEHIND: failed},
        rollouts=tuple(
            RolledOut(number, title, size // 2, failed, 1, size // 10) for number in range(min(5, size))
        ),
        rollouts_in_all=min(size, 12),
        succeeded=size // 2,
        failed=failed,
        stuck=tuple(
            Stuck(each, NOON - timedelta(days=3), ("@contoso-retail-platform/payments",)) for each in waiting
        ),
        stuck_in_all=failed + size * 20 // 100,
        lag=Lag(4, timedelta(hours=3)),
        withdrawn=tuple(
            f"aspnet:{number}.0-bookworm-slim is withdrawn; move to noble" for number in range(size // 400)
        ),
        ends=(".NET 8.0 ends on 2026-11-10; 12 repositories stand on it",),
        planned=size // 3,
    )


def wave(size: int) -> Message:
    failures = tuple(
        FailedRebuild(each.repository, each.url, each.reason)
        for each in fleet(size)
        if each.state is RebuildState.FAILED
    )
    news = WaveNews(
        3, ".NET 10.0.5 fixes 3 CVEs", "rest", 2, size, size - len(failures), len(failures), failures[:20]
    )
    message = wave_message(replace(news, began_at=NOON, done_since=NOON + timedelta(hours=2)))
    assert message is not None
    return message


def told(size: int) -> dict[str, Message]:
    return {
        "rollout": rollout_message(rollout(*fleet(size), changes=changes(size))),
        "wave": wave(size),
        "summary": summary_message(summary(size)),
    }


class Teams:
    """A Workflows webhook, which takes what is within its size and tells nothing of it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.app = Starlette(routes=[Route("/workflows/{id}", self._posted, methods=["POST"])])

    async def _posted(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > 28 * 1024:
            return Response("Request Entity too large", 413)
        self.bodies.append(body)
        return Response(status_code=202)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["rollout", "wave", "summary"])
async def test_slack_takes_it_whole_from_a_bot_and_from_a_webhook(
    shared_world: World, http: Http, kind: str, size: int
) -> None:
    message = told(size)[kind]
    check(message)
    slack = shared_world.slack
    bot = SlackChannel(SlackBot(http, slack.token, slack.channel, f"{slack.url}/api"), "U0123456")
    webhook = SlackChannel(SlackWebhook(http, slack.webhook), "U0123456")
    before = len(await slack.messages())
    for channel in (bot, webhook):
        await channel.post(f"{kind}:{size}", message)
    posted = (await slack.messages())[before:]
    assert len(posted) == 2
    for each in posted:
        said = [
            part["text"]
            for block in each["blocks"]
            for part in [block.get("text"), *block.get("elements", ())]
            if part
        ]
        assert sum(map(len, said)) < 13_000
        assert "\n".join(said).endswith(texts(message).rpartition("\n")[2]), "nothing was left out"


@pytest.mark.parametrize("size", SIZES)
def test_a_rollout_of_any_size_fits_twelve_lines_and_3000_characters(size: int) -> None:
    said = texts(told(size)["rollout"])
    if size > 10:
        assert len(said.splitlines()) <= 12
    assert len(said) <= 3000


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["rollout", "wave", "summary"])
async def test_teams_takes_it_whole(kind: str, size: int) -> None:
    teams = Teams()
    server = Server(teams.app)
    server.start()
    try:
        async with Http(hosts={server.host: HostRules(insecure=True)}) as http:
            channel = TeamsChannel(TeamsWebhook(http, f"{server.url}/workflows/1?sig=secret"))
            await channel.post(f"{kind}:{size}", told(size)[kind])
    finally:
        server.stop()
    [body] = teams.bodies
    [attachment] = json.loads(body)["attachments"]
    card: dict[str, Any] = attachment["content"]
    assert len(json.dumps(card, ensure_ascii=False).encode()) <= 20 * 1024
    assert "more line" not in str(card["body"][-1]), "no row was dropped"
