"""Where a CVE ran is answered alike by sets of packages and by judging every build of every run."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from bot.domain.running.exposure import Asked, PlaceExposure, PlaceHistory, PlaceRun, exposures_of
from bot.domain.running.inside import AskedCve
from bot.images.vex.statements import VexStatement
from bot.store.pages.running.exposure import ExposureStore, _in_order
from bot.store.pages.running.said import read_said
from bot.store.pages.running.sources import read_sources
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages
from bot.store.rows.running.past import PastContent, keep_past
from bot.store.rows.running.past_runs import pack_runs, unpack_runs
from bot.store.rows.running.running import (
    place_in,
    running_builds,
    running_contents,
    running_looks,
    running_places,
    running_sources,
    runs,
)
from bot.store.stores import StoreOptions
from bot.views.running.exposed import Narrowed
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores
from tests.integration.store.holding import CVE, FIXED, OPENSSL, SSL, publish
from tests.integration.store.running.vex import PACKAGE, REASON, statements

HOUR = timedelta(hours=1)
BUILDS, PLACES, RUNS, HOURS = 20, 6, 80, 30
PLATFORMS = ("linux/amd64",)
BOTH = ("linux/amd64", "linux/arm64")
NOBLE, JAMMY = ({"id": "ubuntu", "version": version} for version in ("24.04", "22.04"))
SAID: dict[str, Sequence[VexStatement]] = {
    "nobody": (),
    "of one image": statements({"@id": "pkg:oci/shop@sha256:" + f"{3:064x}"}, justification=REASON),
    "of the package": statements({"@id": PACKAGE}, justification=REASON),
}


@ON_BOTH
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("author", SAID)
async def test_random_pasts_are_told_as_they_are_judged_run_by_run(stores: Stores, author: str, seed: int) -> None:
    await publish(stores)
    now = stores.clock.now() + HOURS * HOUR
    draw = random.Random(seed)
    await _fill(stores, draw, now)
    options = StoreOptions(platforms=PLATFORMS, statements=lambda: SAID[author])
    store = ExposureStore(*stores.given, options.cve_data_age, options.platforms, options.statements)
    states = set()
    for hours in range(0, HOURS + 4, 3):
        at = now - hours * HOUR
        for asked in (Asked(at), Asked(at, at - 5 * HOUR)):
            answer = await store.exposure(CVE, asked, Narrowed())
            assert answer.places == await _judged(stores, store, asked, answer.published_at, SAID[author])
            await _pack(stores, draw)
            assert answer.places == (await store.exposure(CVE, asked, Narrowed())).places
            states |= {(each.state, bool(each.exposed)) for each in answer.places}
    assert len(states) >= (2 if author == "of the package" else 5), states


async def _pack(stores: Stores, draw: random.Random) -> None:
    """Packs what has ended in one place, or has what is packed of one told by rows again."""
    async with stores.database.transaction() as connection:
        await draw.choice((pack_runs, pack_runs, unpack_runs))(connection, [draw.randint(1, PLACES)])


async def _judged(
    stores: Stores,
    store: ExposureStore,
    asked: Asked,
    published_at: datetime | None,
    said_by_authors: Sequence[VexStatement],
) -> tuple[PlaceExposure, ...]:
    """Every run, of builds that are judged one by one, whatever the time and the CVE."""
    async with stores.database.reading() as connection:
        sources = await read_sources(connection)
        cve = AskedCve((OPENSSL,), frozenset({"Ubuntu"}))
        said = await read_said(connection, CVE, cve, said_by_authors)
        rows = (await connection.execute(select(runs))).all()
        builds = await store._judge(connection, {row.build_id for row in rows}, said)
        places = (await connection.execute(select(running_places))).all()
    histories = []
    for place in places:
        of_place = (
            PlaceRun(
                builds[each.build_id], each.image, each.since, each.is_older, each.seen_at, each.until, each.pods
            )
            for each in rows
            if each.place_id == place.id
        )
        histories.append(PlaceHistory("europe", place_in(place), _in_order(of_place), place.pulls_since))
    by_name = {each.name: each for each in sources.values()}
    return exposures_of(asked, published_at, by_name, histories)


async def _fill(stores: Stores, draw: random.Random, now: datetime) -> None:
    began = now - HOURS * HOUR
    source = {"id": 1, "name": "europe", "stale_after": 1800, "due_at": now, "told_at": now}
    await _write(stores, running_sources, [source])
    looks = [{"source_id": 1, "since": began, "until": now - 9 * HOUR}]
    await _write(stores, running_looks, [*looks, {"source_id": 1, "since": now - 7 * HOUR, "until": now}])
    names = ("type", "name", "version", "architecture", "source", "source_version")
    rows = [
        {"id": number, "key": f"{number:064x}"} | {name: getattr(each, name) for name in names}
        for number, each in enumerate((SSL, FIXED), 1)
    ]
    await _write(stores, packages, [*rows, rows[0] | {"id": 3, "key": "3", "name": "zlib1g", "source": "zlib"}])
    await _write(
        stores,
        running_builds,
        [{"id": each, "digest": f"sha256:{each:064x}", "seen_at": began} for each in range(1, BUILDS + 1)],
    )
    for build in range(1, BUILDS + 1):
        await _fill_build(stores, draw, build, now)
    where = {"namespace": "shop", "kind": "Deployment", "container": "web", "source_id": 1}
    places = [
        {"id": each, "workload": f"web-{each}", **where, "pulls_since": None} for each in range(1, PLACES + 1)
    ]
    places[0]["pulls_since"] = now - 4 * HOUR
    await _write(stores, running_places, places)
    await _write(stores, runs, list(_runs(draw, began, now)))


def _runs(draw: random.Random, began: datetime, now: datetime) -> Any:
    opened = set()
    for _ in range(RUNS):
        place, build = draw.randint(1, PLACES), draw.randint(1, BUILDS)
        since = began + draw.randint(-4, HOURS - 1) * HOUR
        until: datetime | None = min(now, since + draw.randint(0, 6) * HOUR)
        if draw.random() < 0.1 and place != PLACES and (place, build) not in opened:
            opened.add((place, build))
            until = None
        yield {
            "place_id": place,
            "build_id": build,
            "image": "ghcr.io/contoso/shop:1",
            "pods": 1,
            "since": since,
            "is_older": draw.random() < 0.3,
            "seen_at": until or now,
            "until": until,
        }


async def _fill_build(stores: Stores, draw: random.Random, build: int, now: datetime) -> None:
    """What is inside is shown, or was, or was and is again, or is not known; an image has one platform or two."""
    kind = draw.choice(["index", "index", "platform"])
    shown = draw.choice(["shown", "shown", "past", "past", "past", "both", "both", "no"])
    for number, platform in enumerate(draw.choice([PLATFORMS, PLATFORMS, BOTH, BOTH[1:]])):
        state = draw.choice([NOBLE, NOBLE, NOBLE, JAMMY]), draw.random() < 0.9, draw.random() < 0.9
        digest = f"sha256:{1000 * (number + 1) + build:064x}"
        if shown in ("shown", "both"):
            held = draw.sample([1, 2, 3], draw.randint(1, 2))
            await _fill_inventory(stores, 10 * build + number, (platform, *state), digest, held, now)
            row = {"build_id": build, "inventory_id": 10 * build + number, "kind": kind}
            await _write(stores, running_contents, [row])
        if shown in ("past", "both"):
            distribution, is_read, is_whole = state
            system, others = (frozenset(draw.sample([1, 2, 3], 1)) for _ in range(2))
            content = PastContent(
                *(build, kind, platform, distribution, is_read, is_whole, None, (digest,), system, others)
            )
            async with stores.database.transaction() as connection:
                await keep_past(connection, [content])


async def _fill_inventory(
    stores: Stores, number: int, state: tuple[Any, ...], digest: str, held: Sequence[int], now: datetime
) -> None:
    platform, distribution, is_read, is_whole = state
    row = {"id": number, "digest": digest, "platform": platform, "seen_at": now, "due_at": now, "problems": []}
    known = {"distribution": distribution, "read_at": now if is_read else None, "is_complete": is_whole}
    await _write(stores, inventories, [row | known])
    links = [{"inventory_id": number, "package_id": each, "since": now} for each in held]
    await _write(stores, inventory_packages, links)


async def _write(stores: Stores, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        async with stores.database.transaction() as connection:
            await connection.execute(insert(table), rows)
