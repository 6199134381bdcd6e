"""Plans rest on what is known at one moment: what is learned later is taken up by whoever looks again."""

from dataclasses import replace

import pytest

from bot.domain.failure import LeaseLost
from tests.integration.store.assessing import enrich
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.moving import moves_again


async def test_a_reassessment_by_a_worker_whose_clock_is_behind_is_not_missed(stores: Stores) -> None:
    await stores.fill()
    stores.clock.advance(HOUR)
    await stores.plan_all(due_in=6 * HOUR)
    await enrich(stores.other("behind", NOON))
    [(rebuild, [change])] = await stores.plan.reconsiderable()
    assert (rebuild.id, change.cves) == (1, ("CVE-2026-1",))


async def test_two_replicas_never_plan_two_moves_of_one_base_at_once(stores: Stores) -> None:
    """The second saw none of the first one's rebuilds, so it would replace none of them."""
    await stores.fill()
    first = await stores.planned()
    await moves_again(stores)
    both = await stores.other("second").planned()
    second = replace(both, changes=(2,), rebuilds=both.rebuilds[:1])
    await stores.plan.save_plan(first)
    with pytest.raises(LeaseLost):
        await stores.other("second").plan.save_plan(second)
    assert [move.id for move in await stores.plan.unplanned()] == [2]
    assert len(await stores.plan.open_rebuilds()) == 1
