"""Of each platform of a build that ran the better known stays: what was read goes for nothing that was less."""

from dataclasses import replace

from sqlalchemy import insert, select, update

from bot.domain.running.exposure import PlaceState
from bot.store.rows.inventories.inventories import inventories, packages
from bot.store.rows.running.backfills import running_backfills
from bot.store.rows.running.numbers import digests_in
from bot.store.rows.running.past import PastContent, keep_past, past_contents
from bot.store.rows.running.running import running_builds, running_sources
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import FIXED, SSL, shows, told
from tests.integration.store.running.pasts import DAY, exposed_then, is_past, rows, then
from tests.integration.store.running.snapshots import WEB, runs_in, tells


async def is_read_again(stores: Stores, config: str | None = None) -> None:
    """What runs again is asked of its registry; its layers are not read yet."""
    await stores.running.want_builds(["ghcr.io"])
    for build in await stores.taken(stores.running.unread):
        await stores.running.save_build(build, [replace(shows("d"), config=config)], None)
    await stores.running.match()


def content(build: int, letter: str, package: int) -> PastContent:
    state = (None, True, True, None, (digest(letter),))
    return PastContent(build, "index", "linux/amd64", *state, frozenset({package}), frozenset())


@ON_BOTH
async def test_a_platform_that_two_builds_share_is_kept_of_both(stores: Stores) -> None:
    now = stores.clock.now()
    async with stores.database.transaction() as connection:
        builds = [{"id": number, "digest": digest(str(number)), "seen_at": now} for number in (1, 2)]
        await connection.execute(insert(running_builds), builds)
        held = [
            {"id": each, "key": str(each), "type": "deb", "name": f"p{each}", "version": "1"} for each in (1, 2)
        ]
        await connection.execute(insert(packages), held)
    for contents in ([content(1, "b", 2)], [content(1, "a", 1), content(2, "b", 2)]):
        async with stores.database.transaction() as connection:
            await keep_past(connection, contents)
    kept = {(row.build_id, digests_in(row.digests)[0]) for row in await rows(stores, past_contents)}
    assert kept == {(1, digest("a")), (1, digest("b")), (2, digest("b"))}


@ON_BOTH
async def test_an_inventory_that_waits_to_be_read_hides_nothing(stores: Stores) -> None:
    ran_at = await exposed_then(stores, SSL)
    await is_past(stores)
    await tells(stores, *runs_in(WEB, "e"))
    await is_read_again(stores)
    assert (await then(stores, ran_at)).state is PlaceState.EXPOSED
    assert (await then(stores, stores.clock.now())).state is PlaceState.EXPOSED


@ON_BOTH
async def test_an_inventory_that_was_never_read_takes_no_sets_place(stores: Stores) -> None:
    ran_at = await exposed_then(stores, SSL)
    await is_past(stores)
    await tells(stores, *runs_in(WEB, "e"))
    await is_read_again(stores)
    await tells(stores, *runs_in(WEB, "5"))
    stores.clock.advance(20 * DAY)
    await is_past(stores)
    assert (await then(stores, ran_at)).state is PlaceState.EXPOSED


@ON_BOTH
async def test_a_whole_reading_takes_the_place_of_one_in_part(stores: Stores) -> None:
    ran_at = await exposed_then(stores, FIXED)
    async with stores.database.transaction() as connection:
        of_build = inventories.c.digest == digest("d")
        await connection.execute(update(inventories).where(of_build).values(is_complete=False))
    await is_past(stores)
    assert (await then(stores, ran_at)).state is PlaceState.NOT_READ
    await tells(stores, *runs_in(WEB, "e"))
    await is_read_again(stores, config=digest("c"))
    await told(stores, {"d": (FIXED,)})
    await tells(stores, *runs_in(WEB, "5"))
    stores.clock.advance(20 * DAY)
    await is_past(stores)
    assert (await then(stores, ran_at)).state is PlaceState.NOT_AFFECTED


@ON_BOTH
async def test_what_is_kept_of_a_build_is_not_read_again_for_the_past_of_its_source(stores: Stores) -> None:
    ran_at = await exposed_then(stores, SSL)
    await is_past(stores)
    async with stores.database.transaction() as connection:
        source, now = await connection.scalar(select(running_sources.c.id)), stores.clock.now()
        await connection.execute(
            insert(running_backfills).values(source_id=source, first_at=now, read_to=now, due_at=now)
        )
    assert await stores.running.want_builds(["ghcr.io"]) == 0
    assert await stores.running.match() == 0
    assert (await then(stores, ran_at)).state is PlaceState.EXPOSED
