"""Health is open to everybody and tells nothing but health; metrics are for who may read them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.store.engine.database import Database
from bot.web.heartbeats import Heartbeats
from bot.web.site import Site
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
