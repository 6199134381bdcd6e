"""Bases that are copies in the store: what they are copies of, who uses what, and how far behind they are."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain.bases.mirrors import Behind, Likeness
from bot.domain.bases.notice import Notice, Topic
from bot.domain.bases.observation import Observation
from bot.domain.failure import Failure
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.pinning import FleetBehind
from bot.domain.rollouts.rebuild import Action, Target
from bot.fleet.assess.notices.deciding import NoticeDifference, Opened
from bot.fleet.plan.age.ports import AgePlan
from bot.fleet.plan.cascade.tick import CascadeInput
from bot.fleet.plan.catching_up import CatchUp
from bot.fleet.plan.quarantine import tick as quarantine
from bot.store.engine.codec import dump
from bot.store.engine.queue.claiming import Worker
from bot.store.history import Logged
from bot.store.pages.bases.measured import MirrorLagsStore
from bot.store.rows.bases.tables import bases
from bot.store.rows.rollouts.tables import quarantines, rebuilds
from bot.views.bases.base import BasePage
from bot.views.fleet.figures import Marks
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.statements import statements

COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "10.0")
ON_COPY = Reading("tree-1", ((usage_of(COPY), COPY),), upstreams={COPY: ASPNET})


async def watched(stores: Stores, reading: Reading = ON_COPY) -> None:
    """One repository that builds on the copy; both bases show the same."""
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(reading)
    await stores.see({ASPNET: "a", COPY: "a"})
    stores.clock.advance(HOUR)


async def page(stores: Stores, base: Base) -> BasePage:
    found = await stores.base_pages.base(str(base))
    assert found is not None
    return found


async def behind(stores: Stores) -> list[Behind]:
    return list((await stores.repository_views.explain("contoso/shop")).behind)


async def test_the_upstream_of_a_copy_is_watched_once_and_left_with_the_copy(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"), Repository("contoso/web", "main"))
    both = Reading("tree-1", ((usage_of(COPY), COPY), (usage_of(ASPNET), ASPNET)), upstreams={COPY: ASPNET})
    await stores.read(both)
    assert sorted(each.base for each in await stores.bases()) == [ASPNET, COPY]
    stores.clock.advance(24 * HOUR)
    await stores.listing()
    assert set(await stores.column(bases, "used")) == {False}


async def test_a_mirror_that_shows_something_of_its_own_is_told_as_such(stores: Stores) -> None:
    await watched(stores)
    await stores.see({ASPNET: "a", COPY: "f"})
    [late] = await behind(stores)
    assert late.foreign == digest("f")
    assert late.is_foreign(stores.clock.now() + 23 * HOUR)


async def test_a_mirror_that_stands_still_for_a_year_shows_nothing_of_its_own(stores: Stores) -> None:
    await watched(stores)
    published = stores.clock.now()
    for number in range(40):
        await stores.see({ASPNET: f"{number:02}", COPY: "a"})
        stores.clock.advance(HOUR)
    assert await behind(stores) == [Behind(COPY, ASPNET, digest("39"), published)]


async def test_a_copy_is_behind_from_what_it_does_not_show_until_it_does(stores: Stores) -> None:
    await watched(stores)
    assert await behind(stores) == []
    published = stores.clock.now()
    await stores.see({ASPNET: "b", COPY: "a"})
    assert await behind(stores) == [Behind(COPY, ASPNET, digest("b"), published)]
    assert [row.behind for row in (await stores.base_pages.upstream()).mirrors] == [1]
    stores.clock.advance(HOUR)
    assert (await stores.figures.figures()).mirrors == {"myacr.azurecr.io/mcr": HOUR}
    await stores.see({ASPNET: "b", COPY: "b"})
    assert await behind(stores) == []
    shown = await page(stores, COPY)
    assert shown.base.mirror is not None
    assert shown.base.mirror.likeness is Likeness.DIGEST
    assert str(shown.took) == "median 1 h, longest 1 h, measured 1 time"
    assert [copy.name for copy in (await page(stores, ASPNET)).copies] == [str(COPY)]


async def test_a_copy_that_nobody_calls_so_any_more_is_compared_no_longer(stores: Stores) -> None:
    await watched(stores)
    await stores.see({ASPNET: "b", COPY: "a"})
    stores.clock.advance(24 * HOUR * 8)
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-2", ((usage_of(COPY), COPY),)))
    assert await behind(stores) == []
    used = dict(zip(await stores.column(bases, "registry"), await stores.column(bases, "used"), strict=True))
    assert used == {COPY.registry: True, ASPNET.registry: False}


async def test_a_move_upstream_has_its_copies_looked_at_at_once(stores: Stores) -> None:
    await watched(stores)
    due = await stores.bases()
    upstream = next(each for each in due if each.base == ASPNET)
    others = [each for each in due if each.base != ASPNET]
    for each in others:
        await stores.put_off(stores.watch.bases, each.id, stores.clock.now() + HOUR)
    await stores.see_one(upstream, "b")
    assert [each.base for each in await stores.bases()] == [COPY]


async def held(stores: Stores) -> CascadeInput:
    found = await stores.cascade.fleet()
    assert found is not None
    return found


async def test_a_rebuild_is_held_while_a_mirror_that_it_builds_on_is_behind(stores: Stores) -> None:
    await watched(stores)
    await stores.see({ASPNET: "b", COPY: "b"})
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", COPY: "b"})
    await stores.assess_all()
    await stores.plan.save_plan(await stores.planned(action=Action.DISPATCH))
    assert None not in await stores.column(rebuilds, "waits_for")
    [late] = next(iter((await held(stores)).behind.values()))
    assert (late.base, late.digest, stores.clock.now() - late.since) == (COPY, digest("c"), timedelta(0))


async def test_a_notice_of_upstream_concerns_whoever_builds_on_a_copy(stores: Stores) -> None:
    await watched(stores)
    look = await stores.notices.claim_look()
    assert look is not None
    assert set(look.picture.copies) == {COPY}
    found = Notice(Topic.END_OF_LIFE, ASPNET, stores.clock.now(), None, timedelta(0), "ends")
    opened = (Opened(look.picture.used[ASPNET], found, tell=True),)
    await stores.notices.save_look(look, NoticeDifference(opened, (), (), stores.clock.now() + 24 * HOUR))
    [told] = await stores.report.notice(1)
    assert told.repositories == ("contoso/shop",)


async def test_how_late_a_copy_came_is_not_how_late_upstream_was(stores: Stores) -> None:
    await watched(stores)
    look = await stores.notices.claim_look()
    assert look is not None
    now = stores.clock.now()
    lags = [
        Opened(
            look.picture.used[base], Notice(Topic.RELEASE_LAG, base, now - hours, now, hours, "late"), tell=False
        )
        for base, hours in ((ASPNET, HOUR), (COPY, 9 * HOUR))
    ]
    await stores.notices.save_look(look, NoticeDifference(tuple(lags), (), (), now + HOUR))
    upstream = await stores.base_pages.upstream()
    assert [each.base for each in upstream.lags] == [str(ASPNET)]
    assert [each.lag for each in (await stores.figures.news(Marks())).lags] == [HOUR]


async def test_notices_are_looked_at_once_a_base_is_a_copy_no_more(stores: Stores) -> None:
    await watched(stores)
    look = await stores.notices.claim_look()
    assert look is not None
    await stores.notices.save_look(look, NoticeDifference((), (), (), stores.clock.now() + 24 * 9 * HOUR))
    stores.clock.advance(24 * HOUR * 8)
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-2", ((usage_of(COPY), COPY), (usage_of(ASPNET), ASPNET))))
    assert await stores.notices.claim_look() is not None


ANN = Word("Ann", "breaks us")


async def planned_on_copy(stores: Stores, *, is_copied: bool = True) -> None:
    """Upstream and its copy have moved, and the repository on the copy has a rebuild that has not begun."""
    await watched(stores)
    await stores.see({ASPNET: "b", COPY: "b" if is_copied else "a"})
    await stores.assess_all()
    if is_copied:
        await plan_for_copy(stores)


async def plan_for_copy(stores: Stores) -> None:
    targets = (Target(COPY, digest("a"), digest("b"), (1,)),)
    await stores.plan.save_plan(await stores.planned(action=Action.DISPATCH, targets=targets))


async def go_on(stores: Stores, letter: str) -> None:
    """What waits is planned anew for what the copy shows by now."""
    targets = (Target(COPY, digest("a"), digest(letter), (1,)),)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(targets=dump(targets, tuple[Target, ...])))


async def kept(stores: Stores) -> list[bool]:
    return [number is not None for number in await stores.column(rebuilds, "quarantine_id")]


@ON_BOTH
async def test_a_quarantine_of_upstreams_digest_keeps_its_copy_too_and_releases_it(stores: Stores) -> None:
    await planned_on_copy(stores)
    assert await stores.orders.quarantine(f"{ASPNET}@{digest('b')}", ANN) == digest("b")
    assert await kept(stores) == [True]
    told = [status.reason for status in await stores.rollout_views.open_quarantines()]
    assert told == ["breaks us", f"a copy of {ASPNET}@{digest('b')}: breaks us"]
    assert [message.key for message in await stores.messages() if "quarantine" in message.key] == ["quarantine:1"]
    assert await stores.orders.lift(str(ASPNET), ANN) == 2
    assert await kept(stores) == [False]
    assert await stores.rollout_views.open_quarantines() == []


@ON_BOTH
async def test_a_copy_that_comes_to_a_mirror_after_the_quarantine_is_kept_before_anything_begins_on_it(
    stores: Stores,
) -> None:
    await planned_on_copy(stores, is_copied=False)
    await stores.orders.quarantine(str(ASPNET), ANN)
    assert len(await stores.rollout_views.open_quarantines()) == 1
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b", COPY: "b"})
    await stores.assess_all()
    await plan_for_copy(stores)
    assert await kept(stores) == [True]


@ON_BOTH
@pytest.mark.parametrize("by", ["catch_up", "age"])
async def test_a_copy_is_kept_before_what_is_planned_without_a_change_begins_on_it(stores: Stores, by: str) -> None:
    await planned_on_copy(stores, is_copied=False)
    await stores.orders.quarantine(str(ASPNET), ANN)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b", COPY: "b"})
    await stores.assess_all()
    targets = (Target(COPY, None, digest("b"), ()),)
    plan = await stores.planned(action=Action.DISPATCH, targets=targets)
    if by == "age":
        await stores.age.save_ages(AgePlan({}, stores.clock.now(), plan.revisions, plan.rebuilds))
    else:
        await stores.catch_up.save(CatchUp(FleetBehind((), 1), plan.rebuilds, (), plan.revisions), ANN)
    assert await kept(stores) == [True]


@ON_BOTH
async def test_a_mirror_that_still_shows_the_copy_when_upstream_has_gone_on_is_kept_until_it_follows(
    stores: Stores,
) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", COPY: "b"})
    assert (await quarantine.tick(stores.quarantine)).lifted == 1
    assert await kept(stores) == [True]
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", COPY: "c"})
    assert (await quarantine.tick(stores.quarantine)).lifted == 0
    assert await kept(stores) == [True], "it carries the copy still"
    await go_on(stores, "c")
    assert (await quarantine.tick(stores.quarantine)).lifted == 1
    assert await kept(stores) == [False]


@ON_BOTH
async def test_a_copy_that_a_person_lets_go_alone_stays_free(stores: Stores) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    await stores.orders.lift(str(COPY), ANN)
    await quarantine.tick(stores.quarantine)
    assert await kept(stores) == [False]


@ON_BOTH
async def test_a_mirrors_copy_may_be_told_with_upstreams_digest_but_not_with_one_that_neither_shows(
    stores: Stores,
) -> None:
    await planned_on_copy(stores)
    with pytest.raises(Failure, match=r"shows sha256:.* now, not sha256:"):
        await stores.orders.quarantine(f"{COPY}@{digest('a')}", ANN)
    assert await stores.orders.quarantine(f"{COPY}@{digest('b')}", ANN) == digest("b")


@ON_BOTH
async def test_a_copy_is_released_with_upstream_though_that_has_gone_on(stores: Stores) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", COPY: "b"})
    await quarantine.tick(stores.quarantine)
    assert await stores.orders.lift(str(ASPNET), ANN) == 1
    assert await kept(stores) == [False]


@ON_BOTH
async def test_open_pull_requests_are_looked_through_once_for_all_copies(stores: Stores) -> None:
    """However many mirrors show the digest."""
    await stores.listing(Repository("contoso/shop", "main"))
    copies = [replace(COPY, registry=f"mirror{number}.azurecr.io") for number in range(9)]
    used = tuple((usage_of(copy), copy) for copy in copies)
    await stores.read(Reading("tree-1", used, upstreams=dict.fromkeys(copies, ASPNET)))
    await stores.see(dict.fromkeys((ASPNET, *copies), "b"))
    with statements(stores.database.engine) as told:
        await stores.orders.quarantine(str(ASPNET), ANN)
    assert len(await stores.rollout_views.open_quarantines()) == 10
    assert sum("rebuilds.targets" in statement for statement in told) == 2
    with statements(stores.database.engine) as told:
        await stores.orders.lift(str(ASPNET), ANN)
    assert await stores.rollout_views.open_quarantines() == []
    assert sum("rebuilds.targets" in statement for statement in told) <= 2


async def quarantined_again(stores: Stores, *shown: Mapping[Base, str]) -> list[str]:
    """What holds when bases have shown this, one after the other, each planned and looked at for quarantines."""
    for letters in shown:
        stores.clock.advance(HOUR)
        await stores.see(letters)
        await go_on(stores, letters[COPY])
        await quarantine.tick(stores.quarantine)
    return [f"{each.base.registry} {each.digest[7]}" for each in await stores.rollout_views.open_quarantines()]


@ON_BOTH
async def test_a_mirror_that_comes_back_to_a_quarantined_copy_is_held_again(stores: Stores) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    assert await quarantined_again(stores, {ASPNET: "b", COPY: "a"}) == ["mcr.microsoft.com b"]
    assert await kept(stores) == [False]
    assert await quarantined_again(stores, {ASPNET: "b", COPY: "b"}) == [
        "mcr.microsoft.com b",
        "myacr.azurecr.io b",
    ]
    assert await kept(stores) == [True]
    assert [message.key for message in await stores.messages() if "quarantine" in message.key] == ["quarantine:1"]


@ON_BOTH
async def test_so_is_one_that_comes_back_when_upstream_has_gone_on(stores: Stores) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    assert await quarantined_again(stores, {ASPNET: "c", COPY: "c"}) == []
    assert await quarantined_again(stores, {ASPNET: "c", COPY: "b"}) == ["myacr.azurecr.io b"]
    assert await quarantined_again(stores, {ASPNET: "c", COPY: "c"}, {ASPNET: "c", COPY: "b"}) == [
        "myacr.azurecr.io b"
    ]
    assert await kept(stores) == [True]


@ON_BOTH
async def test_upstream_that_comes_back_is_held_again_with_its_copies_and_told(stores: Stores) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    found = await quarantined_again(stores, {ASPNET: "c", COPY: "c"}, {ASPNET: "b", COPY: "b"})
    assert sorted(found) == ["mcr.microsoft.com b", "myacr.azurecr.io b"]
    assert [message.key for message in await stores.messages() if "quarantine" in message.key] == ["quarantine:1"]
    assert [each.returns for each in await stores.rollout_views.open_quarantines()] == [1, 1]


@ON_BOTH
async def test_a_base_that_comes_and_goes_has_one_quarantine_and_one_message_that_counts_it(stores: Stores) -> None:
    await planned_on_copy(stores, is_copied=False)
    await stores.orders.quarantine(str(ASPNET), ANN)
    flips = [{ASPNET: letter, COPY: "a"} for letter in "cbcbcb"]
    assert await quarantined_again(stores, *flips) == ["mcr.microsoft.com b"]
    assert await stores.count(quarantines) == 1
    assert [message.key for message in await stores.messages() if "quarantine" in message.key] == ["quarantine:1"]
    told = await stores.report.quarantine(1)
    assert (told.returns, told.milestone) == (3, "comes and goes")
    await stores.orders.lift(str(ASPNET), ANN)
    assert (await stores.report.quarantine(1)).milestone == "over"


@ON_BOTH
async def test_what_a_person_has_let_go_is_not_held_again_until_a_person_says_so(stores: Stores) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    assert await quarantined_again(stores, {ASPNET: "b", COPY: "a"}) == ["mcr.microsoft.com b"]
    await stores.orders.lift(str(ASPNET), ANN)
    assert await quarantined_again(stores, {ASPNET: "b", COPY: "b"}, {ASPNET: "a", COPY: "a"}) == []
    assert await quarantined_again(stores, {ASPNET: "b", COPY: "b"}) == []
    await stores.orders.quarantine(str(ASPNET), ANN)
    found = await quarantined_again(stores, {ASPNET: "b", COPY: "b"})
    assert sorted(found) == ["mcr.microsoft.com b", "myacr.azurecr.io b"]


@ON_BOTH
async def test_a_copy_that_was_let_go_alone_stays_free_when_it_comes_back(stores: Stores) -> None:
    await planned_on_copy(stores)
    await stores.orders.quarantine(str(ASPNET), ANN)
    await stores.orders.lift(str(COPY), ANN)
    back = ({ASPNET: "c", COPY: "c"}, {ASPNET: "b", COPY: "b"})
    assert await quarantined_again(stores, *back) == ["mcr.microsoft.com b"]


@ON_BOTH
async def test_a_plan_holds_what_came_back_before_anything_begins_on_it(stores: Stores) -> None:
    await planned_on_copy(stores, is_copied=False)
    await stores.orders.quarantine(str(ASPNET), ANN)
    assert await quarantined_again(stores, {ASPNET: "b", COPY: "b"}, {ASPNET: "c", COPY: "a"}) == []
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", COPY: "b"})
    await stores.assess_all()
    await plan_for_copy(stores)
    assert await kept(stores) == [True]


@ON_BOTH
async def test_a_tick_and_a_plan_that_find_the_same_copy_write_its_quarantine_once(stores: Stores) -> None:
    await planned_on_copy(stores, is_copied=False)
    await stores.orders.quarantine(str(ASPNET), ANN)
    for _ in range(3):
        stores.clock.advance(HOUR)
        await stores.see({ASPNET: "b", COPY: "b"})
        await stores.assess_all()
        await asyncio.gather(
            quarantine.tick(stores.quarantine), plan_for_copy(stores), quarantine.tick(stores.other("b").quarantine)
        )
        shown = [each.base for each in await stores.rollout_views.open_quarantines()]
        assert sorted(shown) == [ASPNET, COPY]
        stores.clock.advance(HOUR)
        await stores.see({ASPNET: "b", COPY: "a"})
        await quarantine.tick(stores.quarantine)


async def took_on_page(stores: Stores) -> list[tuple[str, int, timedelta, timedelta]]:
    rows = (await stores.base_pages.upstream()).mirrors
    return [(row.place, row.took.measured, row.took.median, row.took.most) for row in rows if row.took is not None]


async def test_upstreams_page_and_the_figures_tell_how_long_each_mirror_took_in_the_last_year(
    stores: Stores,
) -> None:
    await watched(stores)
    assert await took_on_page(stores) == []
    for letter, late in (("b", 1), ("c", 2), ("d", 9)):
        await stores.see({ASPNET: letter, COPY: chr(ord(letter) - 1)})
        stores.clock.advance(late * HOUR)
        await stores.see({ASPNET: letter, COPY: letter})
        stores.clock.advance(HOUR)
    assert await took_on_page(stores) == [("myacr.azurecr.io/mcr", 3, 2 * HOUR, 9 * HOUR)]
    [(place, took)] = (await stores.figures.figures()).mirrors_took.items()
    assert (place, took.median) == ("myacr.azurecr.io/mcr", 2 * HOUR)
    stores.clock.advance(timedelta(days=366))
    assert await took_on_page(stores) == []


async def test_what_was_imported_of_the_past_of_both_counts_as_what_was_seen(stores: Stores) -> None:
    await watched(stores)
    began = stores.clock.now() - timedelta(days=30)
    for base, hours in ((ASPNET, 0), (COPY, 5)):
        past = [
            Logged(Observation(began - timedelta(days=1), base, digest("0"), "10.0.0")),
            Logged(Observation(began + hours * HOUR, base, digest("a"), "10.0.5")),
        ]
        await stores.history.put_before(base, past, None)
    assert await took_on_page(stores) == [("myacr.azurecr.io/mcr", 1, 5 * HOUR, 5 * HOUR)]


async def test_only_mirrors_that_have_moved_are_measured_again(stores: Stores) -> None:
    await watched(stores)
    await stores.see({ASPNET: "b", COPY: "b"})
    lags = MirrorLagsStore(stores.database, Worker("reader"), stores.clock)
    assert len(await lags.took()) == 1
    stores.clock.advance(HOUR)
    with statements(stores.database._readers) as told:
        await lags.took()
    [read] = [each for each in told if "observations" in each]
    assert "max(observations.id)" in read


async def copied(stores: Stores, copies: int) -> None:
    """So many bases, each with its copy, all of which move once, the copies an hour later."""
    names = [f"dotnet/made-{number}" for number in range(copies)]
    upstreams = {replace(COPY, repository=f"mcr/{name}"): replace(ASPNET, repository=name) for name in names}
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", tuple((usage_of(copy), copy) for copy in upstreams), upstreams=upstreams))
    for published, shown in (("a", "a"), ("b", "a"), ("b", "b")):
        await stores.see(dict.fromkeys(upstreams.values(), published) | dict.fromkeys(upstreams, shown))
        stores.clock.advance(HOUR)


async def test_all_copies_are_measured_in_as_many_statements_as_one(stores: Stores) -> None:
    await copied(stores, 60)
    with statements(stores.database._readers) as told:
        [took] = (await MirrorLagsStore(stores.database, Worker("reader"), stores.clock).took()).values()
    assert (took.measured, took.median) == (60, HOUR)
    assert len([each for each in told if "observations" in each]) == 2
