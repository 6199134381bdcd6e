"""Which repositories a plan has served: only what had an effect, or a person's no, counts."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.domain.failure import LeaseLost
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Merging, RebuildState
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, usage_of
from tests.integration.store.moving import opened

SHOP = "contoso/shop-0000"
USES = ((usage_of(ASPNET), ASPNET),)
FLOATS = ((replace(usage_of(ASPNET), reference=replace(usage_of(ASPNET).reference, digest=None)), ASPNET),)


async def ended(stores: Stores, state: RebuildState) -> None:
    [job] = await stores.jobs()
    await stores.act.settle_rebuild(job.rebuild, job.rebuild.moved(state, "ended", at=stores.clock.now()))


async def read_again(stores: Stores, reading: Reading) -> None:
    stores.clock.advance(48 * HOUR)
    await stores.listing(Repository(SHOP, "main"))
    await stores.read(reading)


async def unserved(stores: Stores) -> list[str]:
    moves = await stores.plan.unplanned()
    found = await stores.plan.affected([move.id for move in moves])
    return [item.member.name for items in found.values() for item in items]


@pytest.mark.parametrize(
    ("state", "uses", "is_served"),
    [
        pytest.param(RebuildState.SKIPPED, USES, False, id="skipped, pinned"),
        pytest.param(RebuildState.SKIPPED, FLOATS, False, id="skipped, floating"),
        pytest.param(RebuildState.SUCCEEDED, FLOATS, True, id="done, floating"),
        pytest.param(RebuildState.SUCCEEDED, USES, False, id="merged, and the pin is behind all the same"),
        pytest.param(RebuildState.CANCELLED, USES, True, id="called off, pinned"),
        pytest.param(RebuildState.CANCELLED, FLOATS, True, id="called off, floating"),
    ],
)
async def test_a_repository_that_is_read_again_gets_what_no_rebuild_of_it_has_brought(
    stores: Stores, state: RebuildState, uses: tuple[tuple[Usage, Base], ...], is_served: bool
) -> None:
    await stores.fill()
    await stores.plan_all()
    await ended(stores, state)
    await read_again(stores, Reading("tree-2", uses))
    assert await unserved(stores) == ([] if is_served else [SHOP])


async def test_what_a_person_skips_is_not_planned_again(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await stores.orders.skip(SHOP, Word("Ann", "it moves away"))
    assert await stores.states() == [RebuildState.SKIPPED]
    await read_again(stores, Reading("tree-2", USES))
    assert await unserved(stores) == []


async def test_a_repository_whose_branch_is_where_it_was_is_read_again_where_act_asks_for_it(
    stores: Stores,
) -> None:
    await stores.fill()
    await stores.plan_all()
    [job] = await stores.jobs()
    await stores.act.read_again(job.member.id)
    await stores.act.settle_rebuild(
        job.rebuild, job.rebuild.moved(RebuildState.SKIPPED, "no", at=stores.clock.now())
    )
    await stores.read(Reading("tree-1", USES))
    assert await unserved(stores) == [SHOP]


@ON_BOTH
async def test_a_reading_that_began_before_act_asked_for_another_ends_without_effect(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    [job] = await stores.jobs()
    await stores.act.read_again(job.member.id)
    [reading] = await stores.repositories()
    await stores.act.read_again(job.member.id)
    with pytest.raises(LeaseLost):
        await stores.discover.keep_reading(reading, stores.clock.now() + HOUR)


async def test_a_repository_that_still_opts_out_is_not_skipped_once_more(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all(state=RebuildState.SKIPPED)
    await read_again(stores, Reading("tree-2", USES, config=RepositoryConfig(enabled=False)))
    assert await unserved(stores) == []
    await read_again(stores, Reading("tree-3", USES))
    assert await unserved(stores) == [SHOP]


@pytest.mark.parametrize("merging", [Merging.LEFT, Merging.FROZEN], ids=str)
async def test_what_was_left_to_people_is_looked_at_once_its_repository_is_read_again(
    stores: Stores, merging: Merging
) -> None:
    """The word for which it was left alone may be another by now."""
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(merging=merging.value))
    await read_again(stores, Reading("tree-2", USES, config=RepositoryConfig.not_read("a slip")))
    for job in await stores.jobs():
        await stores.act.settle_rebuild(job.rebuild, replace(job.rebuild, text_version=job.rebuild.facts_version))
    await read_again(stores, Reading("tree-3", USES))
    assert len(await stores.jobs()) == (merging is Merging.LEFT)


async def test_what_moved_while_a_repository_was_away_is_planned_when_it_comes_back(stores: Stores) -> None:
    await stores.listing(Repository(SHOP, "main"), Repository("contoso/other", "main"))
    await stores.read(Reading("tree-1", FLOATS))
    await stores.see({ASPNET: "a"})
    stores.clock.advance(HOUR)
    await stores.listing(Repository("contoso/other", "main"))
    await stores.see({ASPNET: "b"})
    await stores.assess_all()
    await stores.plan_all()
    assert await unserved(stores) == []
    await read_again(stores, Reading("tree-1", FLOATS))
    assert SHOP in await unserved(stores)


@pytest.mark.parametrize("is_archived_when_listed", [True, False])
async def test_what_was_skipped_in_an_archived_repository_is_planned_again_once_that_is_listed(
    stores: Stores, is_archived_when_listed: bool
) -> None:
    """Also where it takes changes again before any listing has seen that it was archived."""
    pushed = stores.clock.now()
    home = Repository(SHOP, "main", pushed_at=pushed, id="1")
    await stores.fill()
    stores.clock.advance(HOUR)
    await stores.listing(home)
    await stores.read(Reading("tree-1", USES))
    await stores.plan_all()
    [job] = await stores.jobs()
    await stores.act.read_once_listed(job.member.id)
    await stores.act.settle_rebuild(
        job.rebuild, job.rebuild.moved(RebuildState.SKIPPED, "no", at=stores.clock.now())
    )
    assert await stores.repositories() == []
    for listed in ([], [home]) if is_archived_when_listed else ([home],):
        stores.clock.advance(HOUR)
        await stores.listing(*listed)
    await stores.read(Reading("tree-1", USES))
    assert await unserved(stores) == [SHOP]
