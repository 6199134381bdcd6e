"""Own bases in the store: what follows them, who waits for them, and what is cut."""

import asyncio
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import event, insert, select, update

from bot.domain.bases.change import Cause
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.standing import LAW, Basis, ImageStanding, Publication
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.fleet.discover.ports import DueRepository
from bot.fleet.plan.cascade.decisions import Cascade, Due, Passed, RebuildProgress, Wait
from bot.fleet.plan.cascade.graph import graph_of
from bot.fleet.plan.cascade.parts import RepositoryImages
from bot.fleet.plan.cascade.rows.last_builds import last_builds, last_ended
from bot.fleet.plan.cascade.rows.links import parts_of_producers
from bot.fleet.plan.cascade.rows.members import with_together
from bot.fleet.plan.cascade.tick import CascadeInput, CascadeTally, Decided, tick
from bot.store.engine.codec import dump
from bot.store.rows.bases.bases import own_links
from bot.store.rows.images.gates import gates
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import ASPNET, HOUR, Stores, change_of, usage_of
from tests.integration.store.statements import statements

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


async def looked(stores: Stores) -> CascadeInput:
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
    assert {found.names[link.child.repository] for link in found.links} == {"contoso/shop"}
    assert graph_of(found.links).cycles == ()
    await stores.see({GOLDEN: "a"})
    stores.clock.advance(HOUR)
    await stores.see({GOLDEN: "b"})
    await stores.assess_all()
    assert [item.repository for item in (await stores.planned()).rebuilds] == ["contoso/shop"]


async def test_a_child_is_not_let_go_upon_a_base_that_the_gate_holds_back(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    assert (await looked(stores)).gated == frozenset()
    [row] = await stores.column(images, "id")
    blocked = {"outcome": "blocked", "mode": "block", "due_at": stores.clock.now()}
    async with stores.database.transaction() as connection:
        await connection.execute(insert(gates).values(image_id=row, **blocked))
    held = await looked(stores)
    assert {each.repository for each in held.gated} == {link.parent.repository for link in held.links}
    async with stores.database.transaction() as connection:
        await connection.execute(update(gates).values(mode="tell"))
    assert (await looked(stores)).gated == frozenset()


async def test_links_lead_from_the_child_to_the_producer(stores: Stores) -> None:
    await fleet(stores)
    assert {each.base for each in await stores.bases()} == {ASPNET, GOLDEN}
    found = await looked(stores)
    [link] = found.links
    assert (found.names[link.child.repository], found.names[link.parent.repository], link.base) == (
        "contoso/shop",
        "contoso/golden",
        GOLDEN,
    )
    assert await stores.cascade.own_among([ASPNET, GOLDEN]) == {GOLDEN}
    with statements(stores.database._readers) as told:
        assert await stores.cascade.fleet() is None
    assert len([each for each in told if each.startswith("SELECT")]) == 2


async def test_nobody_waits_for_an_image_of_weak_evidence_unless_it_names_its_repository_itself(
    stores: Stores,
) -> None:
    weak = replace(CLAIM, weakness="its name or tag is a default")
    await fleet(stores, golden=replace(OF_GOLDEN, images=(weak,)))
    assert (await looked(stores)).links == ()
    assert GOLDEN in {each.base for each in await stores.bases()}
    async with stores.database.transaction() as connection:
        await connection.execute(update(images).values(sourced_from="contoso/golden"))
    assert [link.base for link in (await looked(stores)).links] == [GOLDEN]


async def test_nobody_waits_for_an_image_that_names_another_repository(stores: Stores) -> None:
    await fleet(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(images).values(sourced_from="contoso/other"))
    assert (await looked(stores)).links == ()


async def test_a_child_is_held_from_its_birth_until_it_is_let_go(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    waits = dict(
        zip(await stores.column(rebuilds, "repository_id"), await stores.column(rebuilds, "waits_for"), strict=True)
    )
    found = await looked(stores)
    [link] = found.links
    assert waits[link.parent.repository] is None
    assert waits[link.child.repository] is not None
    assert found.progress[link.child] is RebuildProgress.DUE
    [held] = found.held_rebuilds
    assert found.dues[held].images == {link.child}
    graph = graph_of(found.links)
    wait = Wait((GOLDEN,), 1, stores.clock.now() + HOUR)
    assert await stores.cascade.save(Decided(found, graph, Cascade(waits={held: wait}))) == 0
    assert wait.reason in await stores.column(rebuilds, "waits_for")
    assert max(await stores.column(rebuilds, "distance")) == 1
    again = await looked(stores)
    passed = Cascade(frontier={held: Passed("unproven", is_ahead=True)})
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
    await _end(stores, link.parent.repository, state=RebuildState.FAILED.value)
    again = await looked(stores)
    assert again.progress[link.parent] is RebuildProgress.FAILED
    blocked = Decided(again, graph_of(again.links), Cascade(blocks={link.parent.repository: 1}))
    await stores.cascade.save(blocked)
    await stores.cascade.save(blocked)
    told = [message.key for message in await stores.messages() if message.key.startswith("incident")]
    assert told == ["incident:1"]
    news = await stores.report.incident(1)
    assert (news.kind, news.place) == ("blocks", "contoso/golden")
    await stores.cascade.save(Decided(again, graph_of(again.links), Cascade()))
    assert (await stores.report.incident(1)).cleared_at is not None


async def test_a_producer_that_people_have_mended_by_hand_is_waited_for_no_longer(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    [link] = (await looked(stores)).links
    now = stores.clock.now()
    await _end(stores, link.parent.repository, state=RebuildState.FAILED.value, ended_at=now)
    await decide(stores)
    assert (await stores.report.incident(1)).cleared_at is None
    await stands(stores, ASPNET, now - HOUR / 2)
    await decide(stores)
    assert (await looked(stores)).progress[link.parent] is RebuildProgress.FAILED
    await stands(stores, ASPNET, now + HOUR)
    await decide(stores)
    assert (await stores.report.incident(1)).cleared_at is not None
    assert await stores.column(rebuilds, "waits_for") == [None, None]


async def stands(stores: Stores, base: Base, looked_at: datetime) -> None:
    """All images were looked at, and stand on what their base shows."""
    publication = Publication(base, looked_at - HOUR, "b", "linux/amd64", "b")
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (publication,), 2)
    assert standing.is_current
    told = {"standings": dump((standing,), tuple[ImageStanding, ...]), "looked_at": looked_at, "law": LAW}
    async with stores.database.transaction() as connection:
        await connection.execute(update(images).values(**told))


async def test_a_wait_counts_from_when_the_producer_may_begin(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    [link] = (await looked(stores)).links
    settled = stores.clock.now() + 6 * HOUR
    await _end(stores, link.parent.repository, due_at=settled)
    await decide(stores)
    assert set(await stores.column(rebuilds, "waits_until")) == {None, settled + 2 * HOUR}
    await _end(stores, link.parent.repository, released_at=settled + HOUR)
    await decide(stores)
    assert set(await stores.column(rebuilds, "waits_until")) == {None, settled + 3 * HOUR}


async def test_while_the_producer_waits_for_its_wave_nobody_goes_before_it(stores: Stores) -> None:
    """It is due for long, and is let go once the canaries have stood."""
    await fleet(stores)
    await moved(stores)
    [link] = (await looked(stores)).links
    told = []
    for _ in range(5):
        stores.clock.advance(HOUR)
        await decide(stores)
        told += [until for until in await stores.column(rebuilds, "waits_until") if until is not None]
    assert len(told) == 5
    assert told[-1] >= stores.clock.now() + 2 * HOUR
    now = stores.clock.now()
    await _end(stores, link.parent.repository, released_at=now, attempted_at=now, state=RebuildState.RUNNING.value)
    await decide(stores)
    assert now + 2 * HOUR in await stores.column(rebuilds, "waits_until")
    stores.clock.advance(2 * HOUR)
    await decide(stores)
    assert await stores.column(rebuilds, "waits_for") == [None, None]


async def test_who_may_keep_the_producer_s_wave_waits_for_it_no_longer_than_ever(stores: Stores) -> None:
    """Equally far from the root, it may be the canary that the producer's wave waits for."""
    await fleet(stores)
    await moved(stores)
    await decide(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(distance=0))
    stores.clock.advance(2 * HOUR)
    await decide(stores)
    assert await stores.column(rebuilds, "waits_for") == [None, None]


async def test_what_a_person_keeps_keeps_nobody_who_stands_on_it(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    await stores.orders.hold("contoso/golden", Word("Ann", "not yet"))
    stores.clock.advance(3 * HOUR)
    await decide(stores)
    assert await stores.column(rebuilds, "waits_for") == [None, None]


async def test_a_producer_whose_failure_nobody_could_try_again_has_still_failed(stores: Stores) -> None:
    await fleet(stores)
    await moved(stores)
    [link] = (await looked(stores)).links
    await _end(stores, link.parent.repository, state=RebuildState.FAILED.value)
    await stores.orders.retry("contoso/golden", Word("Ann", "again"))
    assert (await looked(stores)).progress[link.parent] is RebuildProgress.UNDER_WAY
    async with stores.database.transaction() as connection:
        denied = update(rebuilds).where(rebuilds.c.state == RebuildState.PLANNED.value)
        mine = rebuilds.c.repository_id == link.parent.repository
        await connection.execute(denied.where(mine).values(state=RebuildState.SKIPPED.value))
    assert (await looked(stores)).progress[link.parent] is RebuildProgress.FAILED


async def _end(stores: Stores, repository: int, **values: Any) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.repository_id == repository).values(**values))


SDK = Base("ghcr.io", "contoso/sdk", "latest")
SDK_CLAIM = replace(CLAIM, name=SDK.name, built_from="sdk/Dockerfile")
OF_BOTH = Reading(
    "tree-1",
    ((usage_of(ASPNET), ASPNET), (replace(usage_of(GOLDEN), path="sdk/Dockerfile"), None)),
    images=(replace(CLAIM, built_from="Dockerfile"), SDK_CLAIM),
    perhaps_own=frozenset({GOLDEN.name}),
)
"""Builds one image on Microsoft's, and another on that."""


class Standings:
    """Layers that tell nothing."""

    async def stood(self, asked: Any) -> dict[Base, Any]:
        return {}


async def decide(stores: Stores) -> CascadeTally:
    return await tick(stores.cascade, Standings(), stores.clock)


async def moves(stores: Stores, base: Base, brings: tuple[int, ...] = ()) -> None:
    """One base shows another digest, and what that asks for is planned."""
    for due in await stores.bases(1000):
        if due.base == base:
            await stores.see_one(due, "b")
    pairs = await stores.assess.unassessed(100)
    found = [(pair, replace(change_of(pair, Cause.DOTNET_RELEASE), brings=brings)) for pair in pairs]
    await stores.assess.save_changes(found, await stores.assess.feeds_revision())
    await stores.plan.save_plan(await stores.planned(action=Action.DISPATCH))


async def follow_up(stores: Stores) -> tuple[int, int]:
    """The golden image has been rebuilt, and what stands on it in its own repository has a rebuild that is held;
    the ids of the two."""
    await decide(stores)
    await stores.see({ASPNET: "a", GOLDEN: "a"})
    stores.clock.advance(HOUR)
    await moves(stores, ASPNET)
    await decide(stores)
    [first] = await stores.column(rebuilds, "id")
    stores.clock.advance(HOUR)
    now = stores.clock.now()
    async with stores.database.transaction() as connection:
        built = {"attempted_at": now - HOUR / 2, "built_at": now, "ended_at": now, "released_at": now - HOUR / 2}
        await connection.execute(update(rebuilds).values(state=RebuildState.BUILT.value, **built))
    await moves(stores, GOLDEN, brings=(1,))
    _, second = sorted(await stores.column(rebuilds, "id"))
    return first, second


async def test_images_of_one_repository_that_stand_on_each_other_are_told_apart_by_their_files(
    stores: Stores,
) -> None:
    await fleet(stores, golden=OF_BOTH, shop=Reading("tree-1"))
    found = await looked(stores)
    [link] = found.links
    assert (link.child.name, link.parent.name) == (SDK.name, GOLDEN.name)
    assert graph_of(found.links).cycles == ()
    assert set(await stores.column(images, "built_from")) == {"Dockerfile", "sdk/Dockerfile"}


async def test_what_stands_on_a_golden_image_of_its_own_repository_is_looked_at_before_it_is_rebuilt(
    stores: Stores,
) -> None:
    await fleet(stores, golden=OF_BOTH, shop=Reading("tree-1"))
    await follow_up(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(images).values(due_at=stores.clock.now() + 24 * HOUR))
    assert (await decide(stores)).waiting == 1
    due = dict(zip(await stores.column(images, "repository"), await stores.column(images, "due_at"), strict=True))
    assert due["contoso/sdk"] == stores.clock.now() < due["contoso/golden"]


async def see_sdk(stores: Stores, *, is_current: bool) -> None:
    now = stores.clock.now()
    until = None if is_current else now
    shown = Publication(GOLDEN, now - HOUR, "sha256:b", "linux/amd64", "sha256:b", until)
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (shown,), 3)
    async with stores.database.transaction() as connection:
        values = {"looked_at": now, "law": LAW, "standings": dump((standing,), tuple[ImageStanding, ...])}
        await connection.execute(update(images).where(images.c.repository == "contoso/sdk").values(**values))


async def test_one_run_that_has_built_both_settles_both(stores: Stores) -> None:
    await fleet(stores, golden=OF_BOTH, shop=Reading("tree-1"))
    _, second = await follow_up(stores)
    await see_sdk(stores, is_current=True)
    assert (await decide(stores)).waiting == 0
    states = dict(zip(await stores.column(rebuilds, "id"), await stores.column(rebuilds, "state"), strict=True))
    assert states[second] == RebuildState.SUCCEEDED.value


async def test_a_run_that_has_built_the_other_on_what_the_golden_image_was_before_is_followed_by_one_more(
    stores: Stores,
) -> None:
    await fleet(stores, golden=OF_BOTH, shop=Reading("tree-1"))
    _, second = await follow_up(stores)
    await see_sdk(stores, is_current=False)
    assert (await decide(stores)).let_go == 1
    states = dict(zip(await stores.column(rebuilds, "id"), await stores.column(rebuilds, "state"), strict=True))
    assert states[second] == RebuildState.PLANNED.value


async def test_a_golden_image_that_its_own_build_made_anew_without_news_from_below_goes_round_no_further(
    stores: Stores,
) -> None:
    await fleet(stores, golden=OF_BOTH, shop=Reading("tree-1"))
    await decide(stores)
    await stores.see({ASPNET: "a", GOLDEN: "a"})
    stores.clock.advance(HOUR)
    await moves(stores, GOLDEN)
    assert await stores.column(rebuilds, "id") == []


async def test_what_one_build_makes_is_asked_for_once_for_all_rebuilds(stores: Stores) -> None:
    targets = dump((Target(GOLDEN, None, "sha256:b", ()),), tuple[Target, ...])
    rows = [SimpleNamespace(id=number, repository_id=number, targets=targets) for number in range(1, 9)]
    dues = {row.id: Due(row.repository_id, frozenset()) for row in rows}
    asked: list[str] = []
    event.listen(stores.database.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    async with stores.database.transaction() as connection:
        asked.clear()
        await with_together(connection, dues, rows, {row.id: RepositoryImages(row.id) for row in rows}, {}, {})
    assert len(asked) == 1


async def test_of_ended_rebuilds_only_the_last_ones_are_read_for_several_images(stores: Stores) -> None:
    await fleet(stores, golden=OF_BOTH, shop=Reading("tree-1"))
    await follow_up(stores)
    async with stores.database.transaction() as connection:
        [row] = (
            await connection.execute(select(rebuilds).where(rebuilds.c.state == RebuildState.BUILT.value))
        ).mappings()
        before = {name: value for name, value in row.items() if name != "id"}
        for_golden = dump((Target(GOLDEN, None, "sha256:x", ()),), tuple[Target, ...])
        ended = [before | {"targets": targets} for targets in (row["targets"], for_golden) for _ in range(200)]
        await connection.execute(insert(rebuilds), ended)
    links = (await looked(stores)).links
    parents = {image for link in links for image in (link.child, link.parent)}
    asked: list[str] = []
    event.listen(stores.database.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    async with stores.database.transaction() as connection:
        parts = await parts_of_producers(connection, {image.repository for image in parents})
        asked.clear()
        read = await last_ended(connection, {image.repository for image in parents}, parts.keys())
        builds, failed = await last_builds(connection, parents, parts)
    assert (len(asked), len(read), failed) == (2, 2, {})
    assert {image.name: [target.base for target in build.targets] for image, build in builds.items()} == {
        GOLDEN.name: [ASPNET],
        SDK.name: [GOLDEN],
    }
