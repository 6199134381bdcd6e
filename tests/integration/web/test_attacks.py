"""An attacker's tour: headers, forms of others, slow and odd senders, foreign markup, and a look for secrets."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from markdown_it import MarkdownIt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.clients.notifiers.slack_blocks import blocks_of
from bot.clients.notifiers.teams_card import card_of
from bot.fleet.report.markdown import markdown_of
from bot.fleet.report.messages.rollout import rollout_message
from bot.fleet.report.rows import ReportStore
from bot.store.engine.database import Database
from bot.web.access.bounds import Bounds
from bot.web.access.connections import Bucket, Rates
from bot.web.app import app_of
from bot.web.serving import bound, serving
from bot.web.site import Senders, Site
from sandbox.programs.processes import ANY_PORT
from sandbox.stored_fleet import names
from sandbox.stored_fleet.pages import PAGES, REPOSITORY
from tests.integration.web.conftest import ACTOR, MARK, READER, Asking, opened_copy
from tests.integration.web.markup import foreign_markup
from tests.integration.web.visitors import HTML, field, signed_in

SECRETS = Senders("g" * 32, "h" * 32, "p" * 32)


@pytest.fixture
async def database(filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened_copy(filled_store, tmp_path) as opened:
        yield opened


class TestHeaders:
    @pytest.mark.parametrize("path", ["/rollouts/", "/operations/", "/api/v1/fleet/", "/static", "//evil.example"])
    async def test_the_named_host_leads_nowhere(self, asking: Asking, path: str) -> None:
        for token in (None, READER):
            answer = await asking(token).get(path, headers={"Host": "evil.example", **HTML})
            assert "evil.example" not in answer.headers.get("location", "")

    async def test_nothing_is_acted_upon_that_a_proxy_would_say(self, asking: Asking) -> None:
        told = {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Prefix": "//evil.example",
            "X-Original-URL": "/operations",
            "X-Rewrite-URL": "/operations",
            "X-HTTP-Method-Override": "POST",
        }
        plain = await asking(READER).get("/rollouts")
        odd = await asking(READER).get("/rollouts", headers=told)
        assert (odd.status_code, "evil.example" in odd.text) == (200, False)
        assert odd.text.count("<article") == plain.text.count("<article") > 0

    async def test_a_made_up_sender_has_no_requests_of_its_own(self, asking: Asking, site: Site) -> None:
        client = asking(READER, of=replace(site, rates=Rates(requests=Bucket(burst=2, each_second=0.01))))
        for number, status in enumerate([200, 200, 429]):
            headers = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"}
            assert (await client.get("/healthz", headers=headers)).status_code == status

    async def test_a_link_cannot_have_the_page_say_something(self, asking: Asking) -> None:
        page = await asking(READER).get("/?done=Your+token+has+expired")
        assert 'role="status"' not in page.text
        assert "has expired" not in page.text


class TestForms:
    async def test_what_was_done_is_said_once(self, asking: Asking) -> None:
        client = await signed_in(asking)
        form = {"form": await field(client, "/"), "subject": "13", "reason": "look", "page": "/rollouts/13"}
        await client.post("/orders/pause", data=form, headers={"Origin": "http://page.example"})
        shown = [(await client.get("/rollouts/13")).text.count('role="status"') for _ in range(2)]
        assert shown == [1, 0]

    async def test_a_name_and_password_in_an_address_make_no_program(self, asking: Asking) -> None:
        client = await signed_in(asking)
        headers = {"Origin": "http://evil.example", "Authorization": "Basic eDp5"}
        answer = await client.post("/logout", data={"form": "x"}, headers=headers)
        assert answer.status_code == 403
        assert (await client.get("/")).status_code == 200


class TestOddEvents:
    @pytest.mark.parametrize(
        "tag", ["\ud800", "x\x00y", "ü", "x" * 129, "", 7, None, ["a"], {"a": 1}], ids=lambda tag: repr(tag)[:12]
    )
    async def test_a_tag_that_is_none_breaks_nothing(self, asking: Asking, site: Site, tag: Any) -> None:
        client = asking(of=replace(site, senders=SECRETS))
        events = {"events": [{"action": "push", "target": {"repository": "dotnet/aspnet", "tag": tag}}]}
        headers = {"Authorization": f"Bearer {SECRETS.registry}"}
        answer = await client.post("/hooks/registry", content=json.dumps(events), headers=headers)
        assert answer.status_code == 202

    @pytest.mark.parametrize("number", ["1e400", "NaN", "9" * 5_000, "-1", "true", '"7"'])
    async def test_a_number_that_is_none_breaks_nothing(self, asking: Asking, site: Site, number: str) -> None:
        client = asking(of=replace(site, senders=SECRETS))
        body = f'{{"push_data": {{"tag": {number}}}, "repository": {{"id": {number}, "repo_name": {number}}}}}'
        headers = {"Authorization": f"Bearer {SECRETS.registry}"}
        answer = await client.post("/hooks/registry", content=body, headers=headers)
        assert answer.status_code in (202, 400)


class TestSlowSenders:
    async def test_a_body_that_does_not_come_is_given_up(self, site: Site) -> None:
        async def read(request: Request) -> Response:
            return PlainTextResponse(f"{len(await request.body())}")

        async def drip() -> AsyncIterator[bytes]:
            yield b"subject="
            await asyncio.Event().wait()

        app = Bounds(Starlette(routes=[Route("/", read, methods=["POST"])]), site, slowest_body=0.05)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.example") as client:
            assert (await client.post("/", content=drip())).status_code == 408
            assert (await client.post("/", content=b"whole")).text == "5"

    @pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: page"])
    async def test_a_connection_without_a_request_is_closed(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, begun: bytes
    ) -> None:
        monkeypatch.setattr("bot.web.serving.SLOWEST_HEAD", 0.1)
        with bound(ANY_PORT) as listening:
            async with serving(app_of(site), listening):
                reader, writer = await asyncio.open_connection(*listening.getsockname())
                writer.write(begun)
                assert await asyncio.wait_for(reader.read(), 10) == b""
                writer.close()

    async def test_a_large_head_is_refused(self, site: Site) -> None:
        with bound(ANY_PORT) as listening:
            async with serving(app_of(site), listening):
                reader, writer = await asyncio.open_connection(*listening.getsockname())
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000)
                assert (await asyncio.wait_for(reader.read(64), 10)).startswith(b"HTTP/1.1 400")
                writer.close()


class TestForeignMarkup:
    """`MARK` stands in every text of the store that people or forges can write."""

    async def test_messages_call_nobody_and_link_nowhere(self, site: Site) -> None:
        message = rollout_message(await site.stores[ReportStore].rollout(13))
        slack = json.dumps(blocks_of(message))
        assert "<!channel" not in slack
        assert "<script" not in slack
        assert "<script" not in json.dumps(card_of(message))
        assert "<script" not in MarkdownIt().render(markdown_of(message))
        assert "&lt;!channel" in slack

    async def test_the_api_is_never_taken_for_a_page(self, asking: Asking) -> None:
        for path in ("/fleet?sort=name", "/operations", f"/repositories/{REPOSITORY}"):
            answer = await asking(READER).get(f"/api/v1{path}", headers=HTML)
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_a_badge_says_nothing_of_what_is_asked(self, asking: Asking) -> None:
        marked = f"{names.repository(1)}{MARK}".replace("/", "%2F").replace("%2F", "/", 1)
        for name in (marked, "contoso/<script>", "a/b"):
            answer = await asking(READER).get(f"/badge/{name}.svg")
            assert "script" not in answer.text
            assert answer.headers["content-type"].startswith(("image/svg+xml", "text/plain"))

    @pytest.mark.parametrize("path", ["/<script>alert(1)</script>", "/bases/<script>", "/?q=<script>"])
    async def test_what_is_asked_for_is_told_as_text(self, asking: Asking, path: str) -> None:
        assert foreign_markup((await asking(READER).get(path, headers=HTML)).text) == []


class TestSecrets:
    async def test_stand_on_no_page_and_in_no_log_header_or_metric(self, asking: Asking, site: Site) -> None:
        guarded = replace(site, senders=SECRETS)
        secret = [READER, ACTOR, *filter(None, (SECRETS.github, SECRETS.registry, SECRETS.registry_path))]
        told = [repr(guarded)]
        with structlog.testing.capture_logs() as lines:
            for token in (None, READER, ACTOR):
                client = asking(token, of=guarded)
                for path in (*PAGES.values(), "/login", "/metrics", "/nothing", "/readyz", "/api/v1/operations"):
                    answer = await client.get(path, headers=HTML)
                    told.append(f"{answer.headers}{answer.text}")
            wrong = await asking(of=guarded).post(f"/hooks/registry/{SECRETS.registry_path}", content=b"[")
            told.append(f"{wrong.headers}{wrong.text}")
        assert [each for each in secret if any(each in text for text in (*told, str(lines)))] == []
