"""What `doctor` says of feeds that were not read."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.domain.clock import ManualClock
from bot.service.commands.service.doctor import feed_checks
from bot.service.wiring.grants import feed_sources
from bot.settings import Settings
from bot.store.stores import Stores
from tests.builders import NOON


@pytest.mark.asyncio
async def test_the_way_to_a_feed_that_cannot_be_read_has_no_query_of_hundreds_of_characters() -> None:
    settings = Settings()
    long = max((source.url for source in feed_sources(settings)), key=len)
    assert "?" in long
    assert len(long) > 200

    async def readings() -> dict[str, tuple[Any, str]]:
        return {long: (None, "HTTP 503")}

    stores = cast("Stores", SimpleNamespace(doctor=SimpleNamespace(feed_readings=readings)))
    checks = await feed_checks(stores, settings, ManualClock(NOON))
    [wrong] = [check for check in checks if check.found == "HTTP 503"]
    assert wrong.way_out == f"see {long.partition('?')[0]}"
