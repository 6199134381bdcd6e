"""Plans rest on what is known at one moment: what is learned later is taken up by whoever looks again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Target
from bot.domain.rollouts.rollout import Reconsidered
from bot.fleet.plan.due import reconsidered
from bot.store.rows.bases.tables import changes
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.assessing import enrich, feed_changes, reassessable
from tests.integration.store.conftest import NOON, ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest
from tests.integration.store.moving import moves_again


@ON_BOTH
async def test_a_reassessment_by_a_worker_whose_clock_is_behind_is_not_missed(stores: Stores) -> None:
    await stores.fill()
    stores.clock.advance(HOUR)
    await stores.plan_all(due_in=6 * HOUR)
    await enrich(stores.other("behind", NOON))
    [(rebuild, [change])] = await stores.plan.reconsiderable()
    assert (rebuild.id, change.cves) == (1, ("CVE-2026-1",))


async def test_what_took_a_change_over_is_considered_again_although_the_rollout_of_that_has_ended(
    stores: Stores,
) -> None:
    await stores.fill()
    first_planned = stores.clock.now()
    await stores.plan_all(due_in=6 * HOUR)
    await moves_again(stores)
    plan = await stores.planned(due_in=6 * HOUR, supersedes=(1,))
    targets = (Target(ASPNET, digest("a"), digest("c"), (1, 2)),)
    await stores.plan.save_plan(
        replace(plan, rebuilds=tuple(replace(each, targets=targets) for each in plan.rebuilds))
    )
    await feed_changes(stores)
    moves = await reassessable(stores)
    first = next(move for move in moves if move.id == 1)
    await stores.assess.save_reassessed([1, 2], [first], await stores.assess.feeds_revision())
    assert [(each.id, each.waits_since) for each, _ in await stores.plan.reconsiderable()] == [(2, first_planned)]


async def test_what_is_learned_brings_a_rebuild_forward_and_never_back(stores: Stores) -> None:
    await stores.fill()
    await stores.plan.save_plan(await stores.planned(wave="rest", soak=4 * HOUR, due_in=6 * HOUR))
    known, now = await stores.plan.revisions(), stores.clock.now()
    for soak, overdue in ((HOUR, now + 72 * HOUR), (8 * HOUR, now + 96 * HOUR), (None, None)):
        await stores.plan.save_reconsidered(
            {1: Reconsidered(now + 6 * HOUR, None, None if soak is None else "first", soak, overdue)}, known
        )
        assert await stores.column(rebuilds, "wave") == ["first"]
        assert await stores.column(rebuilds, "soak_seconds") == [3600]
        assert await stores.column(rebuilds, "overdue_at") == [now + 72 * HOUR]


async def test_a_fix_stays_severe_while_its_changes_cannot_be_read(stores: Stores) -> None:
    """Else a freeze would hold it back, and its wave pass it by."""
    await stores.fill()
    await stores.plan.save_plan(await stores.planned(severity=Severity.CRITICAL, due_in=6 * HOUR))
    await enrich(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(changes).values(change=[7]))
    [(rebuild, known)] = await stores.plan.reconsiderable()
    found = reconsidered(rebuild, known, Policy(), stores.clock.now())
    await stores.plan.save_reconsidered({rebuild.id: found}, await stores.plan.revisions())
    assert await stores.column(rebuilds, "severity") == ["critical"]


@ON_BOTH
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


@ON_BOTH
async def test_what_a_clock_that_was_ahead_has_planned_is_considered_once_more_by_the_right_one(
    stores: Stores,
) -> None:
    await stores.fill()
    now, ahead = stores.clock.now(), stores.clock.now() + timedelta(days=365)
    stores.clock.at = ahead
    await stores.plan.save_plan(await stores.planned(due_in=HOUR))
    assert await stores.plan.reconsiderable() == []
    stores.clock.at = now
    [(rebuild, _)] = await stores.plan.reconsiderable()
    await stores.plan.save_reconsidered({rebuild.id: Reconsidered(now + HOUR, None)}, await stores.plan.revisions())
    [after] = await stores.plan.open_rebuilds()
    assert (after.due_at, after.planned_at, after.waits_since) == (now + HOUR, now, now)
    assert await stores.plan.reconsiderable() == []
