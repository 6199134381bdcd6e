"""Health is open to everybody and tells nothing but health; metrics are for who may read them."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure
from bot.store.engine.database import Database
from bot.web.access.connections import HeldConnections
from bot.web.access.rates import Bucket, Rates
from bot.web.app import app_of, health_app_of
from bot.web.heartbeats import Heartbeats
from bot.web.serving import bound, listening_on, serving
from bot.web.site import Site
from sandbox.programs.processes import ANY_PORT
from tests.integration.web.conftest import ACTOR, READER, SCRAPER, Asking


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
