"""What an empty store takes up of what the forge has open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.failure import LeaseLost
from bot.domain.forge.pull_requests import OwnRequest
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.domain.rollouts.rollout import PlannedRebuild
from bot.fleet.plan.taking_up.requests import MarkedRequest
from bot.fleet.plan.taking_up.rows import TakingUpStore
from bot.fleet.plan.taking_up.tick import RestoredLog, TakenUp
from bot.store.rows.bases.tables import bases, changes
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.tables import announce
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of

SHOP = "contoso/shop-0000"
BRANCH = "freshness/dotnet-aspnet-10.0"
NO_REST = timedelta(0)


async def anew(stores: Stores) -> TakingUpStore:
    """A store that has read a fleet whose base has moved before that."""
    await stores.listing(Repository(SHOP, "main"))
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),)))
    await stores.see({ASPNET: "b"})
    return stores[TakingUpStore]


async def restored(stores: Stores) -> TakingUpStore:
    store, shown_at = await anew(stores), stores.clock.now() - 3 * HOUR
    before = Observation(shown_at - HOUR, ASPNET, digest("a"), "10.0.4")
    cause = Cause.DOTNET_SECURITY
    joint = Change(ASPNET, shown_at, digest("a"), digest("b"), cause, cause, "10.0.4", "10.0.5", ("CVE-2026-1",))
    await store.restore(RestoredLog(ASPNET, (before,), (), joint, shown_at))
    return store


async def taken_up(stores: Stores, merged: OwnRequest | None = None, **values: object) -> TakingUpStore:
    store = await restored(stores)
    [move] = await store.restored_moves([ASPNET])
    [affected] = (await store.affected([move.id]))[move.id]
    plan = PlannedRebuild(
        *(affected.member.id, SHOP, Action.PULL_REQUEST, RebuildState.PLANNED, "aspnet:10.0 moved"),
        *((Target(ASPNET, digest("a"), digest("b"), (move.id,)),), ()),
        wave="rest",
        due_at=stores.clock.now() + 6 * HOUR,
        branch=BRANCH,
        pull_request=4,
    )
    changed = replace(plan, **values)  # type: ignore[arg-type]
    requests = (MarkedRequest(affected.member, merged, ()),) if merged is not None else ()
    await store.take_up(TakenUp((move.id,), (changed,), move.change.at, await store.revisions(), requests))
    return store


@ON_BOTH
async def test_a_base_has_its_past_again_and_shows_what_it_shows_since_then(stores: Stores) -> None:
    store, now = await restored(stores), stores.clock.now()
    log = (await store.logs([ASPNET]))[ASPNET]
    assert [(each.digest, each.at) for each in log] == [
        (digest("a"), now - 4 * HOUR),
        (digest("b"), now - 3 * HOUR),
    ]
    assert await stores.column(bases, "moved_at") == [now - 3 * HOUR]
    [move] = await store.restored_moves([ASPNET])
    assert (move.change.at, move.change.cves) == (now - 3 * HOUR, ("CVE-2026-1",))
    assert await stores.plan.unplanned() == []


@ON_BOTH
async def test_what_has_its_pull_request_goes_on_at_once_in_a_rollout_as_old_as_its_change(stores: Stores) -> None:
    await taken_up(stores)
    assert await stores.column(rollouts, "opened_at") == [stores.clock.now() - 3 * HOUR]
    assert await stores.column(changes, "rollout_id") == [1]
    [job] = await stores.jobs()
    assert (job.rebuild.pull_request, job.rebuild.state) == (4, RebuildState.PLANNED)
    assert [change.cves for change in job.changes] == [("CVE-2026-1",)]


@ON_BOTH
async def test_what_was_merged_is_looked_at_at_once_by_who_follows(stores: Stores) -> None:
    now = stores.clock.now()
    own = OwnRequest(4, "PR_4", "https://forge/pull/4", BRANCH, True, "", now - HOUR, None, merged_at=now)
    await taken_up(stores, merged=own, state=RebuildState.OPEN)
    assert await stores.jobs() == []
    [followed] = await stores.followed()
    assert (followed.pull_request, followed.node_id, followed.url) == (4, "PR_4", "https://forge/pull/4")
    assert followed.state is RebuildState.OPEN


async def test_what_has_none_waits_for_its_time_and_its_wave(stores: Stores) -> None:
    await taken_up(stores, pull_request=None)
    assert await stores.jobs() == []
    assert await stores.column(rebuilds, "released_at") == [None]


async def test_a_run_may_have_been_asked_for_since_the_base_moved(stores: Stores) -> None:
    await taken_up(stores, action=Action.DISPATCH, pull_request=None, branch=None, workflow="weekly-rebuild.yml")
    assert await stores.column(rebuilds, "attempted_at") == [stores.clock.now() - 3 * HOUR]


async def test_its_message_is_known_before_wherever_it_is_told(stores: Stores) -> None:
    await taken_up(stores)
    [news] = await stores.messages()
    assert (news.key, news.sent, news.is_known_before) == ("rollout:1", None, True)
    await stores.report.spread(news, ["slack", "teams"])
    messages = await stores.messages()
    assert [(each.destination, each.is_known_before) for each in messages] == [("slack", True), ("teams", True)]
    for each in messages:
        await stores.report.message_sent(each, "fingerprint", None, NO_REST)
    async with stores.database.transaction() as connection:
        await announce(connection, "rollout:1", stores.clock.now())
    [again] = await stores.messages()
    await stores.report.spread(again, ["slack"])
    assert [each.is_known_before for each in await stores.messages()] == [False]


@ON_BOTH
async def test_where_another_plan_was_saved_meanwhile_nothing_is_taken_up(stores: Stores) -> None:
    store = await restored(stores)
    known = await store.revisions()
    [move] = await store.restored_moves([ASPNET])
    await store.take_up(TakenUp((), (), move.change.at, known))
    with pytest.raises(LeaseLost):
        await store.take_up(TakenUp((move.id,), (), move.change.at, known))


@pytest.mark.parametrize("is_any", [False, True])
async def test_it_is_over_once_and_for_all(stores: Stores, is_any: bool) -> None:
    store = await anew(stores)
    assert not await store.is_over()
    await store.end(is_any=is_any)
    assert (await store.is_over(), await store.is_any_taken_up()) == (True, is_any)


async def test_a_store_that_is_older_has_nothing_to_take_up(stores: Stores) -> None:
    store = await anew(stores)
    await store.end_first_run(None, is_told=False)
    assert (await store.is_over(), await store.is_any_taken_up()) == (True, False)


async def test_whoever_follows_a_base_is_asked(stores: Stores) -> None:
    store = await anew(stores)
    assert [each.name for each in await store.members()] == [SHOP]
