"""Health is open to everybody and tells nothing but health; metrics are for who may read them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import insert

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure
from bot.fleet.heartbeats import Heartbeats
from bot.store.engine.database import Database
from bot.store.engine.failures import NoRoom
from bot.store.rows.tables import journal
from bot.web.access.connections import Bucket, HeldConnections, Rates
from bot.web.app import app_of, health_app_of
from bot.web.serving import bound, listening_on, serving
from bot.web.site import Senders, Site
from sandbox.programs.processes import ANY_PORT
from tests.full_disk import without_room
from tests.integration.store.statements import statements
from tests.integration.web.conftest import ACTOR, NOON, READER, SCRAPER, Asking
from tests.integration.web.visitors import HTML, signed_in

MUCH = {"who": "rita", "is_claimed": False, "what": "pause", "subject": "everything", "reason": "x" * 100_000}


async def test_a_process_that_answers_lives(asking: Asking) -> None:
    answer = await asking().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_it_is_ready_while_its_stages_tick_and_the_store_answers(asking: Asking) -> None:
    answer = await asking().get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_stage_that_hangs_is_named(asking: Asking, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=1))
    answer = await asking().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "stage watch is late\n")


async def test_it_is_not_ready_before_its_stages_begin(asking: Asking, site: Site) -> None:
    answer = await asking(of=replace(site, beats=Heartbeats())).get("/readyz")
    assert (answer.status_code, answer.text) == (503, "no stage has begun yet\n")


async def test_a_store_that_is_away_is_told_without_its_address(asking: Asking, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE transitions RENAME TO elsewhere")
    answer = await asking().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "the store does not answer\n")
    assert (await asking().get("/healthz")).status_code == 200


async def test_however_many_ask_the_store_is_asked_once(asking: Asking, database: Database) -> None:
    client = asking()
    with statements(database._readers) as said:
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(said) <= 5


@pytest.mark.parametrize("token", [READER, ACTOR, SCRAPER])
async def test_metrics_are_told_to_who_may_read_them(asking: Asking, token: str) -> None:
    answer = await asking(token).get("/metrics")
    assert answer.status_code == 200
    assert 'freshness_stage_late{stage="watch"} 0.0' in answer.text


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nobody", f"Basic {SCRAPER}", SCRAPER])
async def test_metrics_are_told_to_nobody_else(asking: Asking, header: str) -> None:
    answer = await asking().get("/metrics", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "freshness_" not in answer.text


async def test_requests_are_counted_by_the_kind_of_page(asking: Asking) -> None:
    client = asking(SCRAPER)
    await client.get("/healthz")
    await client.get("/nothing/here")
    text = (await client.get("/metrics")).text
    assert 'freshness_http_request_duration_seconds_count{page="live",status="2xx"} 1.0' in text
    assert 'freshness_http_request_duration_seconds_count{page="other",status="4xx"} 1.0' in text


class TestAStoreWithoutRoom:
    """Told from what the process remembers of its last write."""

    @pytest.fixture
    async def refused(self, database: Database) -> AsyncIterator[None]:
        async with without_room(database):
            with pytest.raises(NoRoom):
                async with database.transaction() as connection:
                    await connection.execute(insert(journal).values(**MUCH, at=NOON))
            yield

    @pytest.mark.usefixtures("refused")
    async def test_is_told_by_health_and_metrics(self, asking: Asking) -> None:
        answer = await asking().get("/readyz")
        assert (answer.status_code, answer.text) == (503, "the store has no room left\n")
        assert (await asking().get("/healthz")).status_code == 200
        assert "freshness_store_full 1.0" in (await asking(SCRAPER).get("/metrics")).text

    async def test_is_not_told_while_there_is_room(self, asking: Asking) -> None:
        assert "freshness_store_full 0.0" in (await asking(SCRAPER).get("/metrics")).text
        assert "no room" not in (await asking(READER).get("/operations")).text
        assert (await asking(READER).get("/api/v1/operations")).json()["no_room"] is None

    @pytest.mark.usefixtures("refused")
    @pytest.mark.parametrize("path", ["/", "/rollouts", "/operations"])
    async def test_is_read_all_the_same_and_told_by_every_page(self, asking: Asking, path: str) -> None:
        client = await signed_in(asking)
        page = await client.get(path, headers=HTML)
        assert page.status_code == 200
        assert "The store has no room left" in page.text
        assert "make room where" in page.text

    @pytest.mark.usefixtures("refused")
    async def test_is_told_by_the_api(self, asking: Asking) -> None:
        told = (await asking(READER).get("/api/v1/operations")).json()["no_room"]
        assert told.startswith("the database has no room left: database or disk is full; make room where")

    @pytest.mark.usefixtures("refused")
    async def test_takes_in_no_event_and_says_when_to_come_again(
        self, asking: Asking, site: Site, database: Database
    ) -> None:
        client = asking(of=replace(site, senders=Senders(registry="h" * 32)))
        statuses = set()
        for number in range(200):
            body = {"target": {"repository": "x", "tag": f"{number}"}, "action": "push"}
            answer = await client.post(
                "/hooks/registry", json=body, headers={"Authorization": f"Bearer {'h' * 32}"}
            )
            statuses.add(answer.status_code)
            if answer.status_code == 503:
                break
        assert 503 in statuses
        assert answer.text == "The store is full\n"
        assert answer.headers["retry-after"] == "60"


class TestAPortOfItsOwn:
    """Served as the service does it, on two sockets."""

    async def test_tells_health_and_metrics_and_nothing_else(self, site: Site) -> None:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(health_app_of(site)), base_url="http://health")
        async with client:
            told = {
                path: (await client.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics", "/login")
            }
            metrics = await client.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}"})
        assert told == {"/healthz": 200, "/readyz": 200, "/metrics": 401, "/login": 404}
        assert metrics.status_code == 200

    async def test_is_answered_while_the_page_has_all_the_connections_and_requests_it_takes(
        self, site: Site
    ) -> None:
        busy = replace(site, rates=Rates(requests=Bucket(burst=0, each_second=0.01)))
        with listening_on(ANY_PORT, ANY_PORT) as listening:
            assert listening.page is not None
            assert listening.health is not None
            async with (
                serving(app_of(busy), listening.page, HeldConnections(most=0)),
                serving(health_app_of(busy), listening.health),
                httpx.AsyncClient() as client,
            ):
                page, own = (
                    "http://{}:{}/healthz".format(*each.getsockname())
                    for each in (listening.page, listening.health)
                )
                assert (await client.get(page)).status_code == 503
                assert (await client.get(own)).status_code == 200

    def test_that_cannot_be_had_names_its_setting(self) -> None:
        with (
            bound(ANY_PORT) as taken,
            pytest.raises(Failure, match=r"cannot be listened on.*") as refused,
            listening_on(None, "{}:{}".format(*taken.getsockname())),
        ):
            pass
        assert refused.value.advice == "set web.health_listen to a free address, or to null"
