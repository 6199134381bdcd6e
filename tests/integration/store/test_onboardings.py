"""Onboardings on both databases: who is taken up, what is kept for good, and what a tick makes of it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import scratch_of
from bot.domain.forge.refusals import BranchMoved
from bot.domain.reach import Reach
from bot.domain.repositories.onboarding import SAFE_CHECKS, OnboardingState
from bot.domain.repositories.repository import GITHUB, Repository, RepositoryId
from bot.domain.rollouts.journal import Word
from bot.fleet.act.onboarding.deciding import BRANCH
from bot.fleet.act.onboarding.ports import OnboardingOptions
from bot.fleet.act.onboarding.tick import OnboardingTally, tick
from bot.fleet.wiring.auditing import AuditProposer
from bot.reconcile.loop import Loop
from bot.store.rows.repositories.tables import blobs
from sandbox.fleets.bare_repository import bare_files
from tests.fakes.forge import FakeForge
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.judged import read

CART, SHOP, WEB = "contoso/cart", "contoso/shop", "contoso/web"
EVERYBODY = OnboardingOptions(repositories=("contoso/*",), at_once=2)
BY_WORD = OnboardingOptions()
WORD = Word("ada", "the practices")


@pytest.fixture
async def fleet(stores: Stores) -> FakeForge:
    forge = FakeForge(stores.clock)
    for name in (CART, SHOP, WEB):
        forge.add(name, bare_files())
    await read(stores, forge)
    return forge


async def onboarded(stores: Stores, forge: FakeForge, options: OnboardingOptions = EVERYBODY) -> OnboardingTally:
    proposer = AuditProposer(frozenset(options.checks))
    return await tick(stores.onboardings, forge, forge, proposer, options, Loop(stores.clock))


async def states(stores: Stores) -> dict[str, OnboardingState | None]:
    found = {}
    for name in (CART, SHOP, WEB):
        due = await stores.onboardings.source(name)
        assert due is not None
        found[name] = due.onboarding.state if due.onboarding.reason else None
    return found


async def test_the_settings_take_up_so_many_at_a_time(stores: Stores, fleet: FakeForge) -> None:
    assert (await onboarded(stores, fleet)).enlisted == 2
    assert [len(home.requests) for home in fleet.homes] == [1, 1, 0]
    stores.clock.advance(HOUR)
    assert (await onboarded(stores, fleet)).enlisted == 0


async def test_who_has_left_the_fleet_takes_nobodys_place_and_is_waited_for_by_nobody(
    stores: Stores, fleet: FakeForge
) -> None:
    await onboarded(stores, fleet)
    web = fleet.homes[2]
    stores.clock.advance(HOUR)
    await stores.listing(Repository(web.name, "main", stores.clock.now(), id=web.id, node_id=web.node_id))
    assert (await onboarded(stores, fleet)).enlisted == 1
    stores.clock.advance(24 * HOUR)
    assert (await stores.figures.figures()).queues["onboardings"].due == 1


async def test_what_the_forge_refuses_holds_nobodys_place_and_comes_back(stores: Stores, fleet: FakeForge) -> None:
    one = OnboardingOptions(repositories=("contoso/*",), at_once=1)
    fleet.failing["carry_out"] = Failure(Trouble.DENIED, "protected by a rule", where=CART)
    assert len((await onboarded(stores, fleet, one)).problems) == 1
    assert (await states(stores))[CART] is OnboardingState.SET_ASIDE
    fleet.failing.clear()
    stores.clock.advance(HOUR)
    assert (await onboarded(stores, fleet, one)).enlisted == 1
    assert [len(home.requests) for home in fleet.homes] == [0, 1, 0]
    stores.clock.advance(HOUR)
    await onboarded(stores, fleet, one)
    assert [len(home.requests) for home in fleet.homes] == [0, 1, 0], "not before a day, though others go through"
    stores.clock.advance(24 * HOUR)
    await onboarded(stores, fleet, one)
    assert [len(home.requests) for home in fleet.homes] == [1, 1, 0]


@pytest.mark.parametrize(
    "failure",
    [Failure(Trouble.DENIED, "Bad credentials", status=401), BranchMoved("freshness/onboarding", "pushed", CART)],
    ids=["credentials", "moved"],
)
async def test_what_passes_takes_nobodys_place(stores: Stores, fleet: FakeForge, failure: Failure) -> None:
    one = OnboardingOptions(repositories=("contoso/*",), at_once=1)
    fleet.failing["carry_out"] = failure
    await onboarded(stores, fleet, one)
    assert (await states(stores))[CART] is OnboardingState.WAITING
    fleet.failing.clear()
    stores.clock.advance(HOUR)
    assert (await onboarded(stores, fleet, one)).enlisted == 0
    assert [len(home.requests) for home in fleet.homes] == [1, 0, 0]


async def test_a_refusal_is_told_once(stores: Stores, fleet: FakeForge) -> None:
    fleet.failing["look"] = Failure(Trouble.DENIED, "no", where=CART)
    options = OnboardingOptions(repositories=(CART,))
    assert len((await onboarded(stores, fleet, options)).problems) == 1
    stores.clock.advance(25 * HOUR)
    assert (await onboarded(stores, fleet, options)).problems == ()


async def test_what_always_fails_holds_nobodys_place(stores: Stores, fleet: FakeForge) -> None:
    one = OnboardingOptions(repositories=("contoso/*",), at_once=1)
    fleet.failing["look"] = Failure(Trouble.UNREACHABLE, "no answer", where=CART)
    enlisted = []
    for _ in range(7):
        enlisted.append((await onboarded(stores, fleet, one)).enlisted)
        stores.clock.advance(25 * HOUR)
    assert enlisted == [1, 0, 0, 0, 0, 0, 1]


async def test_without_a_word_of_the_settings_nobody_is_taken_up(stores: Stores, fleet: FakeForge) -> None:
    assert (await onboarded(stores, fleet, BY_WORD)).enlisted == 0
    assert fleet.calls == []


async def test_a_persons_word_takes_up_whom_the_settings_leave_out(stores: Stores, fleet: FakeForge) -> None:
    (asked,) = await stores.onboardings.ask([WEB.upper()], WORD)
    assert asked.is_taken_up
    await onboarded(stores, fleet, BY_WORD)
    assert await states(stores) == {CART: None, SHOP: None, WEB: OnboardingState.OPEN}
    (entry,) = await stores.orders.entries(10)
    assert (entry.what, entry.word.who) == ("onboard", "ada")


async def test_a_word_for_what_is_not_there_or_under_way_says_so(stores: Stores, fleet: FakeForge) -> None:
    await stores.onboardings.ask([WEB], WORD)
    again, nobody = await stores.onboardings.ask([WEB, "contoso/zzz"], WORD)
    assert (again.is_taken_up, again.why) == (False, "it is under way: ada asks for it: the practices")
    assert (nobody.is_taken_up, nobody.why) == (False, "the fleet has no such repository; write owner/name")


async def test_who_has_declined_is_never_asked_again(stores: Stores, fleet: FakeForge) -> None:
    options = OnboardingOptions(repositories=(CART,))
    await onboarded(stores, fleet, options)
    fleet.homes[0].close(1)
    stores.clock.advance(HOUR)
    await onboarded(stores, fleet, options)
    fleet.homes[0].commit_to("main", {"Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:9.0.1\n"})
    await read(stores, fleet)
    assert (await onboarded(stores, fleet, options)).enlisted == 0
    (asked,) = await stores.onboardings.ask([CART], WORD)
    assert asked.why == "it has declined for good: pull request #1 was closed by a maintainer"
    assert len(fleet.homes[0].requests) == 1


async def test_what_leaves_the_fleet_keeps_its_word(stores: Stores, fleet: FakeForge) -> None:
    await onboarded(stores, fleet, OnboardingOptions(repositories=(CART,)))
    fleet.homes[0].close(1)
    stores.clock.advance(HOUR)
    await onboarded(stores, fleet)
    gone = fleet.homes.pop(0)
    await read(stores, fleet)
    fleet.homes.insert(0, gone)
    await read(stores, fleet)
    assert (await states(stores))[CART] is OnboardingState.DECLINED


async def test_who_waits_and_is_no_longer_meant_is_let_go(stores: Stores, fleet: FakeForge) -> None:
    await stores.onboardings.enlist(["contoso/*"], SAFE_CHECKS, 3)
    await stores.onboardings.enlist([WEB], SAFE_CHECKS, 3)
    assert await states(stores) == {CART: None, SHOP: None, WEB: OnboardingState.WAITING}


async def test_nothing_is_done_while_the_bot_is_paused(stores: Stores, fleet: FakeForge) -> None:
    await stores.orders.pause(None, WORD)
    assert (await onboarded(stores, fleet)).done == 0
    assert fleet.calls == []


async def test_from_bare_to_done_and_again_once_something_new_fails(stores: Stores, fleet: FakeForge) -> None:
    options = OnboardingOptions(repositories=(CART,), checks=("base-pinned",))
    cart = fleet.homes[0]
    await onboarded(stores, fleet, options)
    cart.merge(1)
    stores.clock.advance(timedelta(minutes=6))
    await onboarded(stores, fleet, options)
    await read(stores, fleet)
    await onboarded(stores, fleet, options)
    assert (await states(stores))[CART] is OnboardingState.DONE
    cart.commit_to("main", {"Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:9.0.1\n"})
    await read(stores, fleet)
    assert (await onboarded(stores, fleet, options)).enlisted == 1
    assert cart.content(BRANCH) == "FROM mcr.microsoft.com/dotnet/aspnet:9.0\n"


async def test_files_that_are_not_kept_any_more_are_told_once(stores: Stores, fleet: FakeForge) -> None:
    await stores.onboardings.ask([CART], WORD)
    fleet.asked.clear()
    async with stores.database.transaction() as connection:
        await connection.execute(delete(blobs))
    (problem,) = (await onboarded(stores, fleet, BY_WORD)).problems
    assert "3 of its files are not kept any more" in problem
    stores.clock.advance(timedelta(days=1))
    assert (await onboarded(stores, fleet, BY_WORD)).problems == ()


async def test_what_the_bot_has_opened_is_left_behind_by_nobody(stores: Stores, fleet: FakeForge) -> None:
    await onboarded(stores, fleet, OnboardingOptions(repositories=(CART,)))
    (traces,) = await stores.leaving.traces()
    assert (traces.repository.name, traces.branches, traces.requests) == (CART, (BRANCH,), (1,))


async def test_every_surface_says_how_far_they_have_come(stores: Stores, fleet: FakeForge) -> None:
    await onboarded(stores, fleet, OnboardingOptions(repositories=("contoso/*",), at_once=2))
    fleet.homes[0].close(1)
    stores.clock.advance(HOUR)
    await onboarded(stores, fleet, BY_WORD)
    counts = {OnboardingState.OPEN: 1, OnboardingState.DECLINED: 1}
    assert (await stores.practices.fleet()).onboardings == counts
    assert (await stores.fleet_views.status()).onboardings == counts
    figures = await stores.figures.figures()
    assert figures.onboardings == dict.fromkeys(OnboardingState, 0) | counts
    assert figures.queues["onboardings"].leased == 0
    explained = (await stores.repository_views.explain(CART)).onboarding
    page = await stores.repository_pages.repository(CART, "https://github.com")
    assert page is not None
    assert explained is not None
    assert page.onboarding == explained
    assert explained.reason == "pull request #1 was closed by a maintainer"


async def test_an_event_of_its_repository_makes_it_due(stores: Stores, fleet: FakeForge) -> None:
    await onboarded(stores, fleet, OnboardingOptions(repositories=(CART,)))
    fleet.homes[0].merge(1)
    assert (await onboarded(stores, fleet, BY_WORD)).done == 0
    merged_in = frozenset({RepositoryId(GITHUB, fleet.homes[0].id)})
    await stores.events.take("github", "delivery", Reach(followed=merged_in))
    assert (await onboarded(stores, fleet, BY_WORD)).done == 1
    assert (await states(stores))[CART] is OnboardingState.WAITING


async def test_what_a_crash_has_left_beside_the_branch_is_taken_away_and_retire_looks_for_it(
    stores: Stores, fleet: FakeForge
) -> None:
    fleet.after["prepare"] = Failure(Trouble.UNREACHABLE, "cut off")
    await onboarded(stores, fleet)
    fleet.after.clear()
    cart = fleet.homes[0]
    assert set(cart.branches) == {"main", scratch_of(BRANCH)}
    assert [traces.branches for traces in await stores.leaving.traces()] == [(BRANCH,), (BRANCH,)]
    cart.commit_to("main", {".github/freshness.yaml": b"enabled: false\n"})
    stores.clock.advance(HOUR)
    await onboarded(stores, fleet)
    assert set(cart.branches) == {"main"}
    assert set(fleet.homes[1].branches) == {"main", BRANCH}


async def test_a_check_that_was_taken_back_after_a_merge_stays_declined(stores: Stores, fleet: FakeForge) -> None:
    options = OnboardingOptions(repositories=(CART,), checks=("base-pinned",))
    await onboarded(stores, fleet, options)
    cart = fleet.homes[0]
    cart.merge(1)
    await read(stores, fleet)
    await onboarded(stores, fleet, options)
    cart.commit_to("main", {"Dockerfile": bare_files()["Dockerfile"]})
    await read(stores, fleet)
    await onboarded(stores, fleet, options)
    due = await stores.onboardings.source(CART)
    assert due is not None
    assert (due.onboarding.state, due.onboarding.declined) == (OnboardingState.DONE, ("base-pinned",))
    await stores.onboardings.ask([CART], WORD)
    await onboarded(stores, fleet, options)
    assert list(cart.requests) == [1]


async def declined(stores: Stores, fleet: FakeForge) -> None:
    """A maintainer has closed its pull request, which a look has shown."""
    await stores.onboardings.ask([CART], WORD)
    await onboarded(stores, fleet, BY_WORD)
    fleet.homes[0].close(1)
    stores.clock.advance(HOUR)
    await onboarded(stores, fleet, BY_WORD)
    assert (await states(stores))[CART] is OnboardingState.DECLINED
    fleet.asked.clear()


async def passes(stores: Stores, fleet: FakeForge, time: timedelta, every: timedelta) -> list[str]:
    """What is asked of the forge within that time."""
    fleet.asked.clear()
    for _ in range(int(time / every)):
        stores.clock.advance(every)
        await onboarded(stores, fleet, BY_WORD)
    return [call for call, _ in fleet.asked]


async def test_what_has_declined_is_looked_at_once_a_day_for_a_month(stores: Stores, fleet: FakeForge) -> None:
    await declined(stores, fleet)
    assert await passes(stores, fleet, timedelta(days=32), 6 * HOUR) == ["look"] * 29
    fleet.homes[0].reopen(1)
    assert await passes(stores, fleet, timedelta(days=2), 6 * HOUR) == []


async def test_what_people_have_opened_again_is_followed_again_within_a_day(
    stores: Stores, fleet: FakeForge
) -> None:
    await declined(stores, fleet)
    fleet.homes[0].reopen(1)
    assert await passes(stores, fleet, timedelta(days=1), 6 * HOUR) == ["look"]
    assert (await states(stores))[CART] is OnboardingState.OPEN
    fleet.homes[0].merge(1)
    await passes(stores, fleet, HOUR, HOUR)
    assert (await stores.onboardings.source(CART)).onboarding.merged == 1  # type: ignore[union-attr]


async def test_an_event_has_it_looked_at_after_five_minutes_and_many_events_no_more_often(
    stores: Stores, fleet: FakeForge
) -> None:
    """Before that a forge may show it as it was."""
    await declined(stores, fleet)
    fleet.homes[0].reopen(1)
    minute = timedelta(minutes=1)
    for number in range(4):
        await stores.events.take("github", f"d{number}", Reach(followed=frozenset({RepositoryId(GITHUB, "1")})))
        assert await passes(stores, fleet, minute, minute) == []
    assert await passes(stores, fleet, minute, minute) == ["look"]
    assert (await states(stores))[CART] is OnboardingState.OPEN


async def test_while_the_bot_is_paused_nothing_that_has_declined_is_looked_at(
    stores: Stores, fleet: FakeForge
) -> None:
    await declined(stores, fleet)
    await stores.orders.pause(None, WORD)
    assert await passes(stores, fleet, timedelta(days=2), 12 * HOUR) == []
