"""Who gets in, what each may do, and that a form of another page changes nothing."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from ipaddress import ip_network

import httpx
import pytest
from sqlalchemy import func, select

from bot.domain.clock import ManualClock
from bot.settings.tokens import Right
from bot.store.orders.orders import OrdersStore
from bot.store.rows.tables import ended_sessions
from bot.store.sessions import SessionsStore
from bot.web.access.connections import Bucket, Rates
from bot.web.site import Proxy, Senders, Site, WebAccess
from tests.integration.web.conftest import ACTOR, READER, SCRAPER, TOKENS, Asking
from tests.integration.web.visitors import HTML, field, signed_in


async def signed_out(client: httpx.AsyncClient) -> None:
    form = {"form": await field(client, "/")}
    answer = await client.post("/logout", data=form, headers={"Origin": "http://page.example"})
    assert answer.status_code == 303


async def ended(site: Site) -> int:
    async with site.stores[SessionsStore]._database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(ended_sessions)) or 0)


PAGES = ["/", "/rollouts", "/bases", "/advisories", "/practices", "/upstream", "/operations"]
FORWARDED = Proxy((ip_network("10.0.0.0/24"),), "X-Forwarded-User", ("*@contoso.com",))


@pytest.fixture
def proxied(site: Site) -> Site:
    return replace(site, access=WebAccess(TOKENS, FORWARDED))


class TestNobody:
    @pytest.mark.parametrize("path", [*PAGES, "/rollouts/1", "/badge/contoso/shop.svg", "/metrics"])
    async def test_sees_nothing(self, asking: Asking, path: str) -> None:
        assert (await asking().get(path)).status_code == 401

    async def test_is_led_to_the_form_in_a_browser_and_from_there_to_where_it_wanted(self, asking: Asking) -> None:
        answer = await asking().get("/bases", headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/bases")

    @pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/metrics", "/api/v1/fleet", "/static/style.css"])
    async def test_is_answered_to_head_as_to_get(self, asking: Asking, path: str) -> None:
        whole, head = await asking().get(path, headers=HTML), await asking().head(path, headers=HTML)
        assert (head.status_code, head.headers.get("location")) == (
            whole.status_code,
            whole.headers.get("location"),
        )

    async def test_comes_back_to_the_filter_that_was_asked_for(self, asking: Asking) -> None:
        client = asking()
        led = await client.get("/?q=web%26api&standing=failed", headers=HTML)
        page = await client.get(led.headers["location"])
        [shown] = map(unescape, re.findall(r'name="next" value="([^"]*)"', page.text))
        form = {"form": await field(client), "token": ACTOR, "next": shown}
        answer = await client.post("/login", data=form, headers={"Origin": "http://page.example"})
        assert answer.headers["location"] == "/?q=web%26api&standing=failed"

    async def test_gets_in_by_no_token_at_all_where_there_are_none(self, asking: Asking, site: Site) -> None:
        closed = replace(site, access=WebAccess())
        for header in ("", "Bearer ", "Bearer x"):
            answer = await asking(of=closed).get("/", headers={"Authorization": header})
            assert answer.status_code == 401

    async def test_may_see_badges_where_the_operator_says_so(self, asking: Asking, site: Site) -> None:
        open_ = replace(site, access=replace(site.access, has_open_badges=True))
        answer = await asking(of=open_).get("/badge/contoso/shop.svg")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert "not known" in answer.text


class TestRights:
    @pytest.mark.parametrize("path", PAGES)
    async def test_who_reads_sees_every_page(self, asking: Asking, path: str) -> None:
        assert (await asking(READER).get(path)).status_code == 200

    async def test_who_scrapes_sees_no_page(self, asking: Asking) -> None:
        assert (await asking(SCRAPER).get("/")).status_code == 403

    async def test_who_reads_gets_no_forms_and_cannot_act(self, asking: Asking) -> None:
        client = await signed_in(asking, READER)
        page = await client.get("/operations")
        assert "/orders/" not in page.text
        form = {"form": await field(client, "/"), "subject": "everything", "reason": "why not"}
        answer = await client.post("/orders/pause", data=form, headers={"Origin": "http://page.example"})
        assert answer.status_code == 403


class TestTheForm:
    async def test_makes_a_session_that_ends(self, asking: Asking, clock: ManualClock) -> None:
        client = await signed_in(asking)
        assert (await client.get("/")).status_code == 200
        clock.advance(timedelta(hours=13))
        assert (await client.get("/")).status_code == 401

    async def test_is_signed_out_of(self, asking: Asking) -> None:
        client = await signed_in(asking)
        form = {"form": await field(client, "/")}
        await client.post("/logout", data=form, headers={"Origin": "http://page.example"})
        assert (await client.get("/")).status_code == 401

    async def test_is_signed_out_of_for_copies_of_the_cookie_too(self, asking: Asking) -> None:
        client = await signed_in(asking)
        copied = asking()
        copied.cookies.set("freshness_session", client.cookies["freshness_session"])
        assert (await copied.get("/")).status_code == 200
        await signed_out(client)
        assert (await copied.get("/")).status_code == 401
        assert (await copied.get("/api/v1/fleet")).status_code == 401

    async def test_is_signed_out_of_for_copies_that_are_written_otherwise(self, asking: Asking) -> None:
        client = await signed_in(asking)
        cookie = client.cookies["freshness_session"]
        await signed_out(client)
        for written in (f"{cookie}=", f"{cookie}==", *(f"{cookie[:-1]}{letter}" for letter in "ABCDEFGHIJKLMNOP")):
            answer = await asking().get("/", headers={"Cookie": f"freshness_session={written}"})
            assert answer.status_code == 401

    async def test_is_signed_out_of_in_one_browser_alone(self, asking: Asking) -> None:
        one, other = await signed_in(asking), await signed_in(asking)
        await signed_out(one)
        assert (await other.get("/")).status_code == 200

    async def test_is_not_signed_out_of_by_a_cookie_that_is_nobodys(self, asking: Asking, site: Site) -> None:
        client = asking()
        form = {"form": await field(client)}
        client.cookies.set("freshness_session", "alice.aaaa.bbbb")
        await client.post("/logout", data=form, headers={"Origin": "http://page.example"})
        assert await ended(site) == 0

    async def test_keeps_of_sessions_that_were_ended_only_those_that_would_go_on(
        self, asking: Asking, site: Site, clock: ManualClock
    ) -> None:
        for _ in range(3):
            await signed_out(await signed_in(asking))
            clock.advance(timedelta(hours=14))
        assert await ended(site) == 1

    async def test_lets_nobody_begin_sessions_without_end(self, asking: Asking, site: Site) -> None:
        client = asking(of=replace(site, rates=Rates(sessions=Bucket(burst=2, each_second=0.01))))
        answers = []
        for token in (ACTOR, ACTOR, ACTOR, READER):
            form = {"form": await field(client), "token": token}
            answer = await client.post("/login", data=form, headers={"Origin": "http://page.example"})
            answers.append(answer.status_code)
        assert answers == [303, 303, 429, 303]

    async def test_keeps_cookies_from_scripts_and_other_sites(self, asking: Asking, site: Site) -> None:
        https = replace(site, access=replace(site.access, url="https://page.example"))
        for shown, secure in ((site, False), (https, True)):
            client = asking(of=shown)
            form = {"form": await field(client), "token": ACTOR, "next": "/"}
            client.headers["Cookie"] = f"freshness_form={form['form']}"
            answer = await client.post("/login", data=form, headers={"Origin": "http://page.example"})
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert ("; secure" in cookie) is secure

    async def test_takes_no_wrong_token_and_slows_down_who_guesses(self, asking: Asking, site: Site) -> None:
        client = asking(of=replace(site, rates=Rates(logins=Bucket(burst=2, each_second=0.01))))
        form = {"form": await field(client), "token": "x" * 32}
        answers = [
            (await client.post("/login", data=form, headers={"Origin": "http://page.example"})).status_code
            for _ in range(3)
        ]
        assert answers == [401, 401, 429]

    @pytest.mark.parametrize(
        "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"]
    )
    async def test_leads_nowhere_else(self, asking: Asking, target: str) -> None:
        client = asking()
        form = {"form": await field(client), "token": ACTOR, "next": target}
        answer = await client.post("/login", data=form, headers={"Origin": "http://page.example"})
        assert answer.headers["location"] == "/"

    async def test_a_session_ends_with_its_token(self, asking: Asking, site: Site) -> None:
        client = await signed_in(asking)
        others = tuple(token for token in TOKENS if Right.ACT not in token.person.rights)
        other = asking(of=replace(site, access=WebAccess(others)))
        other.cookies = client.cookies
        assert (await other.get("/")).status_code == 401

    @pytest.mark.parametrize("cookie", ["alice", "alice.x.y", "rita", "a" * 5000, "alice.aaaa.%00"])
    async def test_a_made_up_cookie_is_nobodys(self, asking: Asking, cookie: str) -> None:
        answer = await asking().get("/", headers={"Cookie": f"freshness_session={cookie}"})
        assert answer.status_code == 401

    async def test_a_session_cannot_be_made_anothers(self, asking: Asking) -> None:
        client = await signed_in(asking, READER)
        _, rest = client.cookies["freshness_session"].split(".", 1)
        answer = await asking().get("/", headers={"Cookie": f"freshness_session=alice.{rest}"})
        assert answer.status_code == 401


class TestWrongTokens:
    """Programs show them in a header."""

    @pytest.fixture
    def hasty(self, site: Site) -> Site:
        return replace(site, rates=Rates(logins=Bucket(burst=2, each_second=0.01)))

    @pytest.mark.parametrize("path", ["/", "/api/v1/fleet", "/metrics", "/badge/contoso/shop.svg", "/login"])
    async def test_slow_down_who_guesses(self, asking: Asking, hasty: Site, path: str) -> None:
        client = asking("x" * 32, of=hasty)
        answers = [await client.get("/api/v1/fleet"), await client.get("/rollouts"), await client.get(path)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1

    async def test_count_together_with_those_of_the_form(self, asking: Asking, hasty: Site) -> None:
        client = asking(of=hasty)
        form = {"form": await field(client), "token": "x" * 32}
        for _ in range(2):
            await client.post("/login", data=form, headers={"Origin": "http://page.example"})
        assert (await asking("x" * 32, of=hasty).get("/")).status_code == 429

    async def test_count_once_for_a_request(self, asking: Asking, hasty: Site) -> None:
        client = asking("x" * 32, of=hasty)
        answers = [await client.get("/nothing"), await client.get("/rollouts/99"), await client.get("/")]
        assert [answer.status_code for answer in answers] == [404, 401, 429]

    async def test_of_events_count_too(self, asking: Asking, hasty: Site) -> None:
        client = asking("x" * 32, of=replace(hasty, senders=Senders(registry="h" * 32)))
        answers = [(await client.post("/hooks/registry", content=b"{}")).status_code for _ in range(3)]
        assert answers == [403, 403, 429]

    async def test_keep_nobody_from_being_known_by_a_right_one(self, asking: Asking, hasty: Site) -> None:
        for _ in range(5):
            await asking("x" * 32, of=hasty).get("/")
        assert (await asking(READER, of=hasty).get("/")).status_code == 200
        assert (await asking("x" * 32, of=hasty, peer="203.0.113.10").get("/")).status_code == 401

    async def test_come_from_one_sender_within_a_network_of_ipv6(self, asking: Asking, hasty: Site) -> None:
        answers = [
            (await asking("x" * 32, of=hasty, peer=f"2001:db8::{number}").get("/")).status_code
            for number in range(3)
        ]
        assert answers == [401, 401, 429]

    async def test_keep_no_probe_from_being_answered(self, asking: Asking, hasty: Site) -> None:
        client = asking("x" * 32, of=hasty)
        assert [(await client.get("/healthz")).status_code for _ in range(4)] == [200] * 4


class TestTheProxy:
    async def test_names_who_signed_in(self, asking: Asking, proxied: Site) -> None:
        client = asking(of=proxied, peer="10.0.0.7")
        page = await client.get("/operations", headers={"X-Forwarded-User": "carol@contoso.com"})
        assert page.status_code == 200
        assert "carol@contoso.com" in page.text
        assert "/orders/pause" in page.text

    async def test_lets_others_read_only(self, asking: Asking, proxied: Site) -> None:
        client = asking(of=proxied, peer="10.0.0.7")
        page = await client.get("/operations", headers={"X-Forwarded-User": "mallory@evil.example"})
        assert page.status_code == 200
        assert "/orders/" not in page.text

    @pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.1.7", "::1", "testclient"])
    async def test_is_believed_from_its_own_address_alone(self, asking: Asking, proxied: Site, peer: str) -> None:
        headers = {
            "X-Forwarded-User": "carol@contoso.com",
            "X-Forwarded-For": "10.0.0.7",
            "Forwarded": "for=10.0.0.7",
        }
        assert (await asking(of=proxied, peer=peer).get("/", headers=headers)).status_code == 401

    async def test_is_known_by_its_address_in_either_family(self, asking: Asking, proxied: Site) -> None:
        headers = {"X-Forwarded-User": "carol@contoso.com"}
        assert (await asking(of=proxied, peer="::ffff:10.0.0.7").get("/", headers=headers)).status_code == 200

    @pytest.mark.parametrize("names", [[], [""], ["a", "b"], ["a b"], ["<b>"], ["x" * 101]])
    async def test_must_name_exactly_one(self, asking: Asking, proxied: Site, names: list[str]) -> None:
        client = asking(of=proxied, peer="10.0.0.7")
        answer = await client.get("/", headers=[("X-Forwarded-User", name) for name in names])
        assert answer.status_code == 401

    async def test_a_header_means_nothing_where_no_proxy_is_named(self, asking: Asking) -> None:
        answer = await asking(peer="10.0.0.7").get("/", headers={"X-Forwarded-User": "carol@contoso.com"})
        assert answer.status_code == 401


class TestAnotherPagesForm:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://page.example.evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {},
        ],
    )
    async def test_changes_nothing(self, asking: Asking, site: Site, headers: dict[str, str]) -> None:
        client = await signed_in(asking)
        form = {"form": await field(client, "/"), "subject": "everything", "reason": "why not"}
        answer = await client.post("/orders/pause", data=form, headers=headers)
        assert answer.status_code == 403
        assert await site.stores[OrdersStore].entries(10) == []

    @pytest.mark.parametrize("token", ["", "x" * 43, None])
    async def test_lacks_what_the_cookie_holds(self, asking: Asking, site: Site, token: str | None) -> None:
        client = await signed_in(asking)
        form = {"subject": "everything", "reason": "why not"} | ({"form": token} if token is not None else {})
        answer = await client.post("/orders/pause", data=form, headers={"Origin": "http://page.example"})
        assert answer.status_code == 403
        assert await site.stores[OrdersStore].entries(10) == []

    @pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
    async def test_of_another_kind_is_none(self, asking: Asking, kind: str) -> None:
        client = await signed_in(asking)
        body = f"form={await field(client, '/')}&subject=everything&reason=x"
        headers = {"Origin": "http://page.example", "Content-Type": kind}
        assert (await client.post("/orders/pause", content=body, headers=headers)).status_code == 403

    async def test_nothing_is_changed_by_a_get(self, asking: Asking) -> None:
        client = await signed_in(asking)
        assert (await client.get("/orders/pause?subject=everything&reason=x")).status_code == 405


class TestBounds:
    @pytest.mark.parametrize("path", ["/healthz", "/login", "/nothing", "/static/style.css"])
    async def test_every_answer_has_strict_headers(self, asking: Asking, path: str) -> None:
        answer = await asking().get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "script" not in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "server" not in answer.headers

    async def test_https_is_asked_to_stay(self, asking: Asking, site: Site) -> None:
        https = replace(site, access=replace(site.access, url="https://page.example"))
        assert "strict-transport-security" in (await asking(of=https).get("/healthz")).headers
        assert "strict-transport-security" not in (await asking().get("/healthz")).headers

    async def test_a_large_body_is_refused_whatever_its_length_says(self, asking: Asking) -> None:
        async def drip() -> AsyncIterator[bytes]:
            for _ in range(200):
                yield b"x" * 1024

        client = asking(ACTOR)
        assert (await client.post("/orders/pause", content=b"x" * 70_000)).status_code == 413
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post("/orders/pause", content=drip(), headers=headers)
        assert answer.status_code == 413

    async def test_a_long_address_is_refused(self, asking: Asking) -> None:
        assert (await asking(READER).get("/?q=" + "x" * 5000)).status_code == 414

    async def test_who_asks_too_often_waits(self, asking: Asking, site: Site) -> None:
        rates = Rates(requests=Bucket(burst=3, each_second=0.1))
        client = asking(READER, of=replace(site, rates=rates))
        answers = [(await client.get("/healthz")) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1

    @pytest.mark.parametrize(
        "path",
        [
            *("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"),
            *("/repositories/..%2f..%2fetc", "/bases/%00", "/rollouts/99999999999999999999999", "/rollouts/-1"),
            *("/advisories/%27%20OR%201=1", "/?page=-1", "/?page=99999", "/?standing=%00", "/?base=%00", "/?q=%00"),
            *("/rollouts/1?state=%27", "/badge/../x.svg", "/badge/a/%2e%2e.svg"),
        ],
    )
    async def test_no_odd_address_breaks_anything(self, asking: Asking, path: str) -> None:
        answer = await asking(READER).get(path, headers=HTML)
        assert answer.status_code in {200, 404}
        assert "import" not in answer.text
