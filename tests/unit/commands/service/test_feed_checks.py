"""What `doctor` says of feeds that were not read, and of such that tell nothing new."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.commands.service.doctor import feed_checks
from bot.domain.clock import ManualClock
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.wiring.grants import feed_sources
from bot.settings import Settings
from bot.store.doctor import DoctorStore
from bot.store.stores import Stores
from bot.upstream.osv.record import WantedPackages
from bot.views.doctor import Health
from tests.builders import NOON

NOTHING = WantedPackages()


def kept(
    read: dict[str, tuple[Any, str]], newest_at: dict[str, datetime], wanted: WantedPackages = NOTHING
) -> Stores:
    async def readings() -> dict[str, tuple[Any, str]]:
        return read

    async def newest_times() -> dict[str, datetime]:
        return newest_at

    async def wanted_packages() -> WantedPackages:
        return wanted

    stores = {
        DoctorStore: SimpleNamespace(feed_readings=readings, newest_times=newest_times),
        VulnerabilitiesStore: SimpleNamespace(wanted_packages=wanted_packages),
    }
    return cast("Stores", stores)


@pytest.mark.asyncio
async def test_a_source_that_tells_nothing_new_cannot_be_told_though_it_was_read_just_now() -> None:
    long_ago = NOON - timedelta(days=60)
    newest_at = {"Azure Linux": long_ago, "Ubuntu": NOON, "msrc-updates": long_ago, "dotnet-index": long_ago}
    checks = await feed_checks(kept({}, newest_at), Settings(), ManualClock(NOON))
    silent = [check for check in checks if "nothing new" in check.found]
    assert [(check.verdict, check.found) for check in silent] == [
        (Health.UNKNOWN, f"the OSV data of Azure Linux has told nothing new since {long_ago:%Y-%m-%d}"),
        (Health.UNKNOWN, f"MSRC's list of updates has told nothing new since {long_ago:%Y-%m-%d}"),
    ]
    assert all(check.way_out for check in silent)


@pytest.mark.asyncio
async def test_the_way_to_a_feed_that_cannot_be_read_has_no_query_of_hundreds_of_characters() -> None:
    settings = Settings()
    long = max((source.url for source in feed_sources(settings)), key=len)
    assert "?" in long
    assert len(long) > 200

    stores = kept({long: (None, "HTTP 503")}, {})
    checks = await feed_checks(stores, settings, ManualClock(NOON))
    [wrong] = [check for check in checks if check.found == "HTTP 503"]
    assert wrong.way_out == f"see {long.partition('?')[0]}"


@pytest.mark.asyncio
async def test_a_dump_that_tells_of_no_image_is_not_missed() -> None:
    settings = Settings.model_validate({"vulnerabilities": {"ubuntu": True, "debian": True}})
    noble = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}))
    checks = {each.subject: each for each in await feed_checks(kept({}, {}, noble), settings, ManualClock(NOON))}
    assert checks["osv-debian"].verdict is Health.NOTE
    assert checks["osv-debian"].found == "not read: no image has packages of it"
    assert (checks["osv-ubuntu"].verdict, checks["osv-ubuntu"].found) == (Health.UNKNOWN, "not read yet")
