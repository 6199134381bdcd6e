"""What is forgotten, and what stays."""

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.image import OCI_INDEX, digest_of
from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.verify.images.ports import Look
from bot.fleet.watch.registry.ports import Sighting
from bot.store.rows.bases.tables import changes, manifests, notices, observations
from bot.store.rows.forgetting import Forgetting
from bot.store.rows.repositories.tables import blobs
from bot.store.rows.rollouts.tables import rebuilds, transitions
from bot.store.rows.tables import journal
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.moving import moves_again

DAY = timedelta(days=1)
YEAR = 400 * DAY


async def forget(stores: Stores) -> Counter[str]:
    """What went; what there was nothing of is as good as untold."""
    task = await stores.retention.claim_forgetting()
    assert task is not None
    return Counter(await stores.retention.forget(task, YEAR))


async def ends(stores: Stores) -> None:
    for job in await stores.jobs():
        after = job.rebuild.moved(RebuildState.CANCELLED, "closed", at=stores.clock.now())
        await stores.act.settle_rebuild(job.rebuild, after)


async def test_rebuilds_that_ended_long_ago_go_and_observations_and_changes_stay(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await ends(stores)
    await moves_again(stores)
    stores.clock.advance(YEAR - HOUR)
    await stores.plan_all()
    assert await forget(stores) == Counter()
    stores.clock.advance(2 * DAY)
    assert await forget(stores) == Counter(rebuilds=2, transitions=4)
    assert await stores.states() == ["planned", "planned"]
    assert [await stores.count(table) for table in (transitions, observations, changes)] == [2, 3, 2]


async def test_who_was_served_by_a_bases_last_change_is_not_forgotten(stores: Stores) -> None:
    """A repository that joins has that change planned once more, for those that it has not served."""
    await stores.fill()
    await stores.plan_all()
    await ends(stores)
    stores.clock.advance(2 * YEAR)
    assert await forget(stores) == Counter()
    await stores.listing(Repository("contoso/new", "main"), Repository("contoso/shop-0000", "main"))
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),)))
    (served,) = (await stores.plan.affected([1])).values()
    assert [item.member.name for item in served] == ["contoso/new"]


async def test_what_a_table_says_beside_itself_is_forgotten_without_another_line(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []

    async def note(_connection: AsyncConnection, before: datetime) -> dict[str, int]:
        asked.append(before)
        return {"notes": 3}

    for table, after in ((journal, timedelta(days=2)), (notices, None)):
        monkeypatch.setitem(table.info, "forgetting", Forgetting("all", after, note))
    assert (await forget(stores))["notes"] == 3
    assert sorted(asked) == [stores.clock.now() - YEAR, stores.clock.now() - timedelta(days=2)]


@ON_BOTH
async def test_one_replica_forgets_a_day(stores: Stores) -> None:
    await forget(stores)
    assert await stores.other("second").retention.claim_forgetting() is None
    stores.clock.advance(DAY)
    assert await stores.other("second").retention.claim_forgetting() is not None


async def test_files_that_no_repository_holds_any_more_go(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.discover.save_blobs({"old": b"FROM a", "kept": b"FROM b"})
    await stores.read(Reading("tree-1", blobs=("old", "kept")))
    stores.clock.advance(9 * DAY)
    await stores.discover.save_blobs({"being read": b"FROM c"})
    await stores.read(Reading("tree-2", blobs=("kept",)))
    assert (await forget(stores))["blobs"] == 1
    assert set(await stores.discover.known_blobs(["old", "kept", "being read"])) == {"kept", "being read"}


def document(**values: object) -> tuple[str, bytes]:
    body = json.dumps(values).encode()
    return digest_of(body), body


async def test_documents_of_digests_that_no_base_shows_any_more_go(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),)))
    kept: dict[str, bytes] = {}
    for number in range(2):
        config = document(os="linux", number=number)
        manifest = document(config={"digest": config[0]}, layers=[])
        index = document(mediaType=OCI_INDEX, manifests=[{"digest": manifest[0]}])
        (due,) = await stores.bases(1)
        now = stores.clock.now()
        seen = Sighting(due.id, Sight.MOVED, Observation(now, ASPNET, index[0]), now + HOUR)
        kept = dict((index, manifest, config))
        await stores.watch.record([seen], kept)
        stores.clock.advance(9 * DAY)
    assert (await forget(stores))["manifests"] == 3
    assert await stores.count(manifests) == 3
    assert set(await stores.watch.manifests(kept)) == set(kept)
    assert await stores.count(blobs) == await stores.count(rebuilds) == 0


async def shows_layers(stores: Stores, letters: str, read: str = "") -> None:
    """The image of the one repository shows layers of these letters; of some it was read what they hold."""
    [image] = await stores.images.images_of("contoso/shop")
    platform = PlatformImage("linux/amd64", digest(letters[0]), layers=tuple(map(digest, letters)))
    holds = {digest(letter): digest("9") for letter in read}
    await stores.images.keep_look(image, Look("latest", SeenImage(digest(letters[0]), (platform,)), (), holds))


async def test_what_layers_hold_is_forgotten_a_year_after_it_was_read_where_no_image_has_them(
    stores: Stores,
) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    await stores.read(Reading("tree-1", images=(claim,)))
    await shows_layers(stores, "abc", read="abc")
    await shows_layers(stores, "bd")
    stores.clock.advance(364 * DAY)
    assert (await forget(stores))["unpacked_layers"] == 0
    stores.clock.advance(2 * DAY)
    assert (await forget(stores))["unpacked_layers"] == 2
    assert [layer for _, layer, _ in await stores.images.unpacked_since(0)] == [digest("b")]


async def test_what_awaits_assessment_is_found_without_a_search(stores: Stores) -> None:
    """It is looked for every few seconds, in a table that only grows."""
    if stores.database.engine.dialect.name != "sqlite":
        return
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.extend([(statement, parameters)] if statement.startswith("SELECT") else [])

    async with stores.database.reading() as connection:
        readers = connection.engine.sync_engine if hasattr(connection.engine, "sync_engine") else connection.engine
    event.listen(readers, "before_cursor_execute", note)
    try:
        await stores.assess.unassessed(500)
    finally:
        event.remove(readers, "before_cursor_execute", note)
    [(statement, parameters)] = sent
    async with stores.database.reading() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = [row.detail for row in rows]
    assert plan[0] == "SCAN observations USING INDEX ix_observations_unassessed"
