"""Services of apprise, as one of them: a receiver of JSON on loopback, by HTTPS."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.clients.http.client import Http
from bot.clients.notifiers.apprise_service import AppriseService, MessageTexts
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.wording.message import Heading, Message, Paragraph, plain
from bot.fleet.report.destinations import Destination
from bot.fleet.wiring.adapters import destinations_of
from bot.settings import BadSettings, Settings
from sandbox.edges.serving import Server
from tests.certificates import self_signed

SECRET = "2f1c0b7d"
TEXTS = MessageTexts("it has begun\n", "## it has begun\n")
MESSAGE = Message("it has begun", (Heading("it has begun"), Paragraph((plain("@team"),))), needs_person=True)


class Receiver:
    """Takes what is posted to `/taken/…`; everything else is refused in its own way."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.agents: list[str] = []
        self.paths: list[str] = []
        self.answering = threading.Event()
        self.app = Starlette(routes=[Route("/{way}/{rest:path}", self._take, methods=["GET", "POST"])])

    async def _take(self, request: Request) -> Response:
        self.paths.append(request.url.path)
        match request.path_params["way"]:
            case "elsewhere":
                return RedirectResponse(f"/taken/{SECRET}", status_code=307)
            case "refused":
                return JSONResponse({"error": SECRET}, status_code=403)
            case "late":
                await asyncio.to_thread(self.answering.wait, 30)
        self.bodies.append(json.loads(await request.body()))
        self.agents.append(request.headers["user-agent"])
        return Response(status_code=204)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("certificate") / "receiver.pem")


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def host(receiver: Receiver, certificate: Path) -> Iterator[str]:
    server = Server(receiver.app, certificate)
    server.start()
    yield f"127.0.0.1:{server.port}"
    receiver.answering.set()
    server.stop()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http() as client:
        yield client


def settings_of(tmp_path: Path, *lines: str) -> Settings:
    (tmp_path / "urls").write_text("\n".join(lines))
    values = {"github": {"token_file": tmp_path / "urls"}, "apprise": {"urls_file": tmp_path / "urls"}}
    return Settings.model_validate(values)


async def failure_of(url: str, longest: timedelta = timedelta(seconds=30)) -> Failure:
    with pytest.raises(Failure) as caught:
        await AppriseService("jsons", url, longest).post(TEXTS)
    return caught.value


@pytest.mark.usefixtures("trusted")
class TestAMessage:
    async def test_is_posted_in_plain_text_under_our_name(self, receiver: Receiver, host: str) -> None:
        await AppriseService("jsons", f"jsons://{host}/taken/{SECRET}").post(TEXTS)
        [body] = receiver.bodies
        assert (body["title"], body["message"].strip()) == ("", "it has begun")
        assert receiver.agents == ["freshness-bot"]

    async def test_is_markdown_where_the_line_asks_for_it(self, receiver: Receiver, host: str) -> None:
        await AppriseService("jsons", f"jsons://{host}/taken/{SECRET}?format=markdown").post(TEXTS)
        assert receiver.bodies[0]["message"].strip() == "## it has begun"

    async def test_that_is_too_long_is_cut_and_stays_one(self, receiver: Receiver, host: str) -> None:
        long = MessageTexts("first sentence\n" + "x" * 100_000, "")
        await AppriseService("jsons", f"jsons://{host}/taken/{SECRET}?overflow=split").post(long)
        [body] = receiver.bodies
        assert body["message"].startswith("first sentence\n")
        assert len(body["message"]) < 40_000

    async def test_follows_another_at_once(self, receiver: Receiver, host: str) -> None:
        service = AppriseService("jsons", f"jsons://{host}/taken/{SECRET}")
        for _ in range(3):
            await service.post(TEXTS)
        assert len(receiver.bodies) == 3

    @pytest.mark.parametrize("asked_for", ["", "?redirect=yes"])
    async def test_goes_nowhere_else(self, receiver: Receiver, host: str, asked_for: str) -> None:
        failure = await failure_of(f"jsons://{host}/elsewhere/{SECRET}{asked_for}")
        assert failure.trouble is Trouble.UNREACHABLE
        assert receiver.paths == [f"/elsewhere/{SECRET}"]

    async def test_that_is_refused_is_told_without_its_address(
        self, host: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.NOTSET, "apprise")
        failure = await failure_of(f"jsons://user:{SECRET}@{host}/refused/{SECRET}")
        assert str(failure) == (
            "apprise jsons: did not take the message; it is sent later; if that goes on, check its line in "
            "apprise.urls_file"
        )
        assert SECRET not in "".join(capfd.readouterr())
        assert not [record for record in caplog.records if record.name.startswith("apprise")]

    async def test_that_is_late_holds_up_nobody_and_is_not_sent_beside_itself(
        self, receiver: Receiver, host: str
    ) -> None:
        service = AppriseService("jsons", f"jsons://{host}/late/{SECRET}?rto=30", timedelta(seconds=0.5))
        with pytest.raises(Failure, match=r"did not take the message within 0\.5 seconds"):
            await service.post(TEXTS)
        with pytest.raises(Failure, match="has not answered to the last message yet"):
            await service.post(TEXTS)
        assert len(receiver.paths) == 1
        receiver.answering.set()
        while any(each.name == "apprise jsons" for each in threading.enumerate()):
            await asyncio.sleep(0.01)
        await AppriseService("jsons", f"jsons://{host}/taken/{SECRET}").post(TEXTS)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(receiver: Receiver, host: str) -> None:
    await failure_of(f"jsons://{host}/taken/{SECRET}")
    assert receiver.paths == []


@pytest.mark.usefixtures("trusted")
async def test_each_line_is_a_place_of_its_own_that_hears_and_edits_nothing(
    receiver: Receiver, host: str, http: Http, tmp_path: Path
) -> None:
    lines = [f"jsons://{host}/taken/{SECRET}", f"forms://{host}/refused/{SECRET}", f"jsons://{host}/taken/2"]
    destinations: tuple[Destination, ...] = destinations_of(settings_of(tmp_path, *lines), http, SystemClock())
    assert [each.name for each in destinations] == ["apprise:jsons", "apprise:forms", "apprise:jsons:2"]
    assert not any(each.channel.can_update for each in destinations)
    assert await destinations[0].channel.post("rollout:1", MESSAGE) is None
    with pytest.raises(Failure):
        await destinations[1].channel.post("rollout:1", MESSAGE)
    assert receiver.bodies[0]["message"].strip() == "it has begun\n\n@\u200bteam"
    assert SECRET not in repr(destinations)


def test_a_line_that_cannot_be_opened_is_named(http: Http, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "jsons://hooks.example/x", f"discord://{SECRET}")
    with pytest.raises(BadSettings) as caught:
        destinations_of(settings, http, SystemClock())
    assert caught.value.lines == [
        f"{tmp_path}/urls: apprise.urls_file, line 2: apprise discord: is not written as apprise wants it; "
        "https://appriseit.com/services/discord/"
    ]
