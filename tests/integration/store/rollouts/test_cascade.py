"""Own bases in the store: what follows them, who waits for them, and what is cut."""

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import update

from bot.discover.ports import DueRepository, Reading
from bot.domain.images.produced import Claim, Source
from bot.domain.images.tags import TagRule
from bot.domain.reference import Base
from bot.domain.repositories.repository import Repository
from bot.domain.rollouts.rebuild import Action, State
from bot.plan.cascade.frontier import Cascade, Passed, Progress, Wait
from bot.plan.cascade.graph import graph_of
from bot.plan.cascade.stage import Decided, Fleet
from bot.store.rows.bases.own_bases import own_links
from bot.store.rows.tables import rebuilds, usages
from tests.integration.store.filling import ASPNET, HOUR, Stores, usage_of

GOLDEN = Base("ghcr.io", "contoso/golden", "latest")
CLAIM = Claim(GOLDEN.name, TagRule("latest"), Source.BUILD, "build.yml", 7)
OF_GOLDEN = Reading("tree-1", ((usage_of(ASPNET), ASPNET),), images=(CLAIM,))
OF_SHOP = Reading("tree-1", ((usage_of(GOLDEN), None),), perhaps_own=frozenset({GOLDEN.name}))


async def read(stores: Stores, **readings: Reading) -> None:
    """Each repository that is due turns out to hold what is named for it."""
    for repository in await stores.repositories():
        name = repository.name.partition("/")[2]
        await stores.discover.save_reading(repository, readings[name], stores.clock.now() + 24 * HOUR)


async def fleet(stores: Stores, golden: Reading = OF_GOLDEN, shop: Reading = OF_SHOP) -> None:
    await stores.listing(Repository("contoso/golden", "main"), Repository("contoso/shop", "main"))
    await read(stores, golden=golden, shop=shop)


async def moved(stores: Stores) -> None:
    """Both bases move, and each repository gets a rebuild that has not begun."""
    await stores.see({ASPNET: "a", GOLDEN: "a"})
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b", GOLDEN: "b"})
    await stores.assess_all()
    await stores.plan.save_plan(await stores.planned(action=Action.DISPATCH))


async def looked(stores: Stores) -> Fleet:
    found = await stores.cascade.fleet()
    assert found is not None
    return found


async def test_a_usage_follows_an_image_once_somebody_produces_it_and_leaves_it_with_the_last_who_does(
    stores: Stores,
) -> None:
    await stores.listing(Repository("contoso/golden", "main"), Repository("contoso/shop", "main"))
    golden, shop = sorted(await stores.repositories(), key=lambda each: each.name)
    later = stores.clock.now() + 24 * HOUR
    await stores.discover.save_reading(shop, OF_SHOP, later)
    assert await stores.bases() == []
    await stores.discover.save_reading(golden, OF_GOLDEN, later)
    assert {each.base for each in await stores.bases()} == {ASPNET, GOLDEN}
    stores.clock.advance(24 * HOUR)
    await stores.listing(Repository("contoso/shop", "main"))
    assert set(await stores.column(usages, "base_id")) == {None}


async def test_whoever_is_read_at_the_same_moment_as_the_producer_follows_its_image(stores: Stores) -> None:
    pairs = [f"{name}-{number}" for number in range(6) for name in ("golden", "shop")]
    await stores.listing(*(Repository(f"contoso/{name}", "main") for name in pairs))
    later = stores.clock.now() + 24 * HOUR

    async def save(repository: DueRepository) -> None:
        name, _, number = repository.name.partition("/")[2].partition("-")
        image = Base("ghcr.io", f"contoso/golden-{number}", "latest")
        usages_of = ((usage_of(image), None),) if name == "shop" else ()
        claims = (replace(CLAIM, name=image.name),) if name == "golden" else ()
        reading = Reading("tree-1", usages_of, images=claims, perhaps_own=frozenset({image.name}))
        await stores.discover.save_reading(repository, reading, later)

    await asyncio.gather(*map(save, await stores.repositories()))
    assert None not in await stores.column(usages, "base_id")


async def test_a_repository_that_builds_one_of_its_images_upon_another_closes_no_circle(stores: Stores) -> None:
    claims = (CLAIM, replace(CLAIM, name="ghcr.io/contoso/shop"))
    reading = Reading("tree-1", ((usage_of(GOLDEN), None),), images=claims, perhaps_own=frozenset({GOLDEN.name}))
    await fleet(stores, golden=reading)
    found = await looked(stores)
    assert {found.names[link.child] for link in found.links} == {"contoso/shop"}
    assert graph_of(found.links).cycles == ()
    await stores.see({GOLDEN: "a"})
    stores.clock.advance(HOUR)
    await stores.see({GOLDEN: "b"})
    await stores.assess_all()
    assert [item.repository for item in (await stores.planned()).rebuilds] == ["contoso/shop"]


async def test_links_lead_from_the_child_to_the_producer(stores: Stores) -> None:
    await fleet(stores)
    assert {each.base for each in await stores.bases()} == {ASPNET, GOLDEN}
    found = await looked(stores)
    [link] = found.links
    assert (found.names[link.child], found.names[link.parent], link.base) == (
        "contoso/shop",
        "contoso/golden",
        GOLDEN,
    )
    assert await stores.cascade.own_among([ASPNET, GOLDEN]) == {GOLDEN}
    assert await stores.cascade.fleet() is None


async def test_a_child_is_held_from_its_birth_until_it_is_let_go(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    waits = dict(
        zip(await stores.column(rebuilds, "repository_id"), await stores.column(rebuilds, "waits_for"), strict=True)
    )
    found = await looked(stores)
    [link] = found.links
    assert waits[link.parent] is None
    assert waits[link.child] is not None
    assert found.members[link.child].progress is Progress.DUE
    assert found.held == {link.child}
    graph = graph_of(found.links)
    wait = Wait((GOLDEN,), 1, stores.clock.now() + HOUR)
    assert await stores.cascade.save(Decided(found, graph, Cascade(waits={link.child: wait}))) == 0
    assert wait.reason in await stores.column(rebuilds, "waits_for")
    assert max(await stores.column(rebuilds, "distance")) == 1
    again = await looked(stores)
    passed = Cascade(frontier={link.child: Passed("unproven", is_ahead=True)})
    assert await stores.cascade.save(Decided(again, graph, passed)) == 1
    assert await stores.column(rebuilds, "waits_for") == [None, None]
    assert sorted(await stores.column(rebuilds, "went_ahead")) == [False, True]


async def test_whoever_builds_on_its_own_image_is_cut_and_set_off_by_nothing(stores: Stores) -> None:
    own = Reading("tree-1", ((usage_of(GOLDEN), None),), images=(CLAIM,), perhaps_own=frozenset({GOLDEN.name}))
    await fleet(stores, golden=own, shop=Reading("tree-1"))
    found = await looked(stores)
    graph = graph_of(found.links)
    assert [cycle.path for cycle in graph.cycles] == [(found.links[0].child,) * 2]
    await stores.cascade.save(Decided(found, graph, Cascade()))
    assert await stores.column(own_links, "cut") == [True]
    assert [message.key for message in await stores.messages()] == ["incident:1"]
    await stores.see({GOLDEN: "a"})
    stores.clock.advance(HOUR)
    await stores.see({GOLDEN: "b"})
    await stores.assess_all()
    assert (await stores.planned()).rebuilds == ()


async def test_a_failed_producer_is_told_once_and_again_when_it_is_mended(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    found = await looked(stores)
    [link] = found.links
    await _end(stores, link.parent, state=State.FAILED.value)
    again = await looked(stores)
    assert again.members[link.parent].progress is Progress.FAILED
    blocked = Decided(again, graph_of(again.links), Cascade(blocks={link.parent: 1}))
    await stores.cascade.save(blocked)
    await stores.cascade.save(blocked)
    told = [message.key for message in await stores.messages() if message.key.startswith("incident")]
    assert told == ["incident:1"]
    news = await stores.report.incident(1)
    assert (news.kind, news.place) == ("blocks", "contoso/golden")
    await stores.cascade.save(Decided(again, graph_of(again.links), Cascade()))
    assert (await stores.report.incident(1)).cleared_at is not None


async def _end(stores: Stores, repository: int, **values: Any) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.repository_id == repository).values(**values))
