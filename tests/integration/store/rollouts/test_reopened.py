"""What goes on in the place of a rebuild whose closed pull request is open again."""

from dataclasses import replace

from sqlalchemy import update

from bot.domain.forge.pull_requests import PullRequestState
from bot.domain.reach import Reach
from bot.domain.repositories.repository import GITHUB, RepositoryId
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.reopening import after_closing
from bot.domain.rollouts.timing.waiting import RolloutOptions, release_rules_at
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import HOUR, Stores


async def closed(stores: Stores) -> Rebuild:
    """The only rebuild, whose pull request was opened and closed; it can be looked at again in an hour."""
    await stores.fill()
    await stores.plan_all()
    [job] = await stores.jobs()
    opened = replace(job.rebuild, pull_request=7, node_id="PR_7", due_at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, opened.moved(RebuildState.OPEN, "opened", at=stores.clock.now()))
    [found] = await stores.followed()
    after = replace(found, due_at=stores.clock.now() + HOUR)
    await stores.follow.settle_rebuild(
        found, after.moved(RebuildState.CANCELLED, "pull request #7 was closed unmerged", at=stores.clock.now())
    )
    return after


async def reopen(stores: Stores) -> None:
    stores.clock.advance(HOUR)
    [found] = await stores.followed()
    shown = PullRequestState(7, "https://forge/pull/7", is_open=True, is_merged=False)
    next_look = replace(found, due_at=stores.clock.now() + HOUR)
    await stores.follow.reopen(next_look, after_closing(found, shown, stores.clock.now()))


async def test_its_wave_counts_it_once(stores: Stores) -> None:
    await closed(stores)
    await reopen(stores)
    rules = release_rules_at(stores.clock.now(), RolloutOptions())
    [standing] = (await stores.advance.standings(rules)).rollouts
    [tally] = standing.tallies.values()
    assert (tally.under_way, tally.unmerged, tally.ended, tally.in_vain) == (1, 1, 0, 0)


async def test_whoever_plans_meanwhile_plans_anew(stores: Stores) -> None:
    await closed(stores)
    before = (await stores.plan.revisions()).plans
    await reopen(stores)
    assert (await stores.plan.revisions()).plans == before + 1


async def test_a_newer_change_supersedes_it_as_any_other(stores: Stores) -> None:
    await closed(stores)
    await reopen(stores)
    [again] = [job.rebuild for job in await stores.jobs()]
    assert again.state is RebuildState.OPEN
    await stores.follow.settle_rebuild(again, again)
    await stores.see_one((await stores.bases())[0], "c")
    await stores.assess_all()
    await stores.plan_all(supersedes=(again.id,))
    assert (await stores.states())[:2] == [RebuildState.CANCELLED, RebuildState.SUPERSEDED]


async def test_where_a_later_rebuild_has_its_bases_it_stays_ended_and_says_so(stores: Stores) -> None:
    before = await closed(stores)
    stores.clock.advance(HOUR)
    await stores.see_one((await stores.bases())[0], "c")
    await stores.assess_all()
    await stores.plan_all(due_in=24 * HOUR)
    await reopen(stores)
    assert await stores.states() == [RebuildState.CANCELLED, RebuildState.PLANNED]
    [told, _] = await stores.column(rebuilds, "reason")
    assert told == f"pull request #7 was opened again; rebuild {before.id + 1} goes on with its bases"


async def test_an_event_has_a_closed_one_looked_at_at_once(stores: Stores) -> None:
    await closed(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(repositories).values(forge_id="4711"))
    stores.clock.advance(HOUR / 2)
    assert await stores.followed() == []
    assert await stores.events.take("github", "1", Reach(followed=frozenset({RepositoryId(GITHUB, "4711")})))
    assert [each.state for each in await stores.followed()] == [RebuildState.CANCELLED]


async def test_one_that_was_closed_by_a_clock_that_was_ahead_is_looked_at(stores: Stores) -> None:
    await closed(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(ended_at=stores.clock.now() + 365 * 24 * HOUR))
    stores.clock.advance(HOUR)
    [found] = await stores.followed()
    assert (found.state, found.ended_at) == (RebuildState.CANCELLED, stores.clock.now())


async def test_what_a_person_has_called_off_is_looked_at_no_more(stores: Stores) -> None:
    before = await closed(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(
            update(rebuilds).where(rebuilds.c.id == before.id).values(call_off="cancelled by Ann")
        )
    stores.clock.advance(HOUR)
    assert await stores.followed() == []
