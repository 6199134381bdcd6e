"""How repositories stand, counted by both databases, and what the page and the metrics show of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.domain.bases.notice import Topic
from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.standing import ImageState
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.watch.registry.ports import Sighting
from bot.store.rows.images.images import images
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.repositories import standing_days
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.rebuilds import keep_transitions, transition_row
from bot.store.rows.rollouts.tables import rebuilds
from bot.views.fleet.fleet import FleetFilter, Sort, Standing
from bot.views.paging import Cut
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, digest, usage_of
from tests.integration.store.statements import statements

SHOP = "contoso/shop"
LINUX = PlatformImage("linux/amd64", digest("e"))


def floating(base: Base = ASPNET) -> Usage:
    return replace(usage_of(base), reference=Reference(base.name, base.tag))


async def reading(stores: Stores, found: Reading, moves: str = "a") -> None:
    """One repository holds this; its base shows the digests of these letters, one after the other."""
    await stores.listing(Repository(SHOP, "main"))
    await stores.read(found)
    for letter in moves:
        await stores.see({ASPNET: letter, SDK: letter})
        stores.clock.advance(2 * HOUR)
    await stores.assess_all()


async def standing(stores: Stores) -> Standing | None:
    await stores.standing.count()
    return await stores.fleet.standing(SHOP)


async def end(stores: Stores, state: RebuildState) -> None:
    now = stores.clock.now()
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(state=state.value, ended_at=now))
        await keep_transitions(connection, [transition_row(1, now, RebuildState.OPEN, state, "so it went")])


async def test_what_pins_the_digest_that_its_base_shows_is_current(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((usage_of(ASPNET), ASPNET),)))
    assert await standing(stores) is Standing.CURRENT


async def test_what_pins_another_is_behind(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((usage_of(ASPNET), ASPNET),)), "ab")
    assert await standing(stores) is Standing.BEHIND


async def test_a_patch_tag_pins_a_version(stores: Stores) -> None:
    old = replace(usage_of(ASPNET), reference=Reference(ASPNET.name, "10.0.4"))
    await reading(stores, Reading("tree", ((old, ASPNET),)))
    assert await standing(stores) is Standing.BEHIND


async def test_a_floating_tag_tells_nothing_of_what_an_image_stands_on(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((floating(), ASPNET),)))
    assert await standing(stores) is Standing.UNKNOWN


async def test_a_rebuild_that_has_not_ended_is_behind_one_that_failed_has_failed(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((floating(), ASPNET),)), "ab")
    await stores.plan_all()
    assert await standing(stores) is Standing.BEHIND
    await end(stores, RebuildState.FAILED)
    assert await standing(stores) is Standing.FAILED
    await end(stores, RebuildState.SUCCEEDED)
    assert await standing(stores) is Standing.CURRENT


async def test_what_floats_is_behind_until_a_rebuild_of_it_was_proved(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((floating(), ASPNET),)))
    built = {"workflow": "weekly-rebuild.yml", "builds": [], "last_success": stores.clock.now()}
    async with stores.database.transaction() as connection:
        await connection.execute(
            insert(workflow_builds).values(repository_id=1, due_at=stores.clock.now(), attempts=0, **built)
        )
    stores.clock.advance(2 * HOUR)
    await stores.see({ASPNET: "b", SDK: "b"})
    await stores.assess_all()
    await stores.plan_all()
    assert [each.member.name for each in (await stores.catch_up.behind()).usages] == [SHOP]
    await end(stores, RebuildState.SUCCEEDED)
    assert (await stores.catch_up.behind()).usages == ()


@pytest.mark.parametrize(
    ("reference", "is_behind"),
    [
        (Reference(ASPNET.name, "10.0", digest("b")), False),
        (Reference(ASPNET.name, "10.0.6"), False),
        (Reference(ASPNET.name, "10.0.7", digest("f")), False),
        (Reference(ASPNET.name, "10.0.4"), True),
    ],
    ids=["digest", "patch", "ahead of all that was seen", "older still"],
)
async def test_a_pin_is_not_behind_a_base_that_went_back(
    stores: Stores, reference: Reference, is_behind: bool
) -> None:
    pinned = replace(usage_of(ASPNET), reference=reference)
    await reading(stores, Reading("tree", ((pinned, ASPNET),)))
    for letter, version in (("b", "10.0.6"), ("c", "10.0.5")):
        await stores.see({ASPNET: letter}, version)
        stores.clock.advance(2 * HOUR)
    await stores.assess_all()
    assert bool((await stores.catch_up.behind()).usages) is is_behind
    assert await standing(stores) is (Standing.BEHIND if is_behind else Standing.CURRENT)


async def test_a_pin_on_one_platforms_image_of_what_its_base_shows_is_not_behind(stores: Stores) -> None:
    pinned = replace(usage_of(ASPNET), reference=Reference(ASPNET.name, "10.0", digest("e")))
    await reading(stores, Reading("tree", ((pinned, ASPNET),)))
    [base] = await stores.bases()
    seen = Observation(stores.clock.now(), ASPNET, digest("b"), "10.0.5", platforms=(LINUX,))
    await stores.watch.record([Sighting(base.id, Sight.MOVED, seen, stores.clock.now() + HOUR)], {})
    assert (await stores.catch_up.behind()).usages == ()
    assert await standing(stores) is Standing.CURRENT


async def test_a_build_is_not_behind_a_base_that_went_back_since(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((floating(), ASPNET),)))
    await stores.see({ASPNET: "b"}, "10.0.6")
    stores.clock.advance(HOUR)
    built = {"workflow": "weekly-rebuild.yml", "builds": [], "last_success": stores.clock.now()}
    async with stores.database.transaction() as connection:
        await connection.execute(
            insert(workflow_builds).values(repository_id=1, due_at=stores.clock.now(), attempts=0, **built)
        )
    stores.clock.advance(2 * HOUR)
    await stores.see({ASPNET: "c"}, "10.0.5")
    await stores.assess_all()
    assert (await stores.catch_up.behind()).usages == ()


@pytest.mark.parametrize("state", [ImageState.CONTRADICTED, ImageState.UNSEEN_BUILD])
async def test_a_pin_on_what_its_base_shows_is_not_current_by_an_image_that_says_otherwise(
    stores: Stores, state: ImageState
) -> None:
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    await reading(stores, Reading("tree", ((usage_of(ASPNET), ASPNET),), images=(claim,)))
    assert await standing(stores) is Standing.CURRENT
    async with stores.database.transaction() as connection:
        await connection.execute(update(images).values(state=state.value))
    assert await standing(stores) is Standing.UNKNOWN


async def test_what_asks_to_be_left_alone_is(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((floating(), ASPNET),), config=RepositoryConfig(enabled=False)), "ab")
    assert await standing(stores) is Standing.LEFT_ALONE


@ON_BOTH
async def test_whose_own_word_cannot_be_understood_has_not_asked_to_be_left_alone(stores: Stores) -> None:
    """It may have: a person has to see to that."""
    config = RepositoryConfig.not_read("not valid YAML")
    await reading(stores, Reading("tree", ((floating(), ASPNET),), config=config), "ab")
    assert await standing(stores) is Standing.UNREADABLE
    told = "what the repository asks for cannot be understood: not valid YAML"
    assert (await stores.fleet_views.status()).unreadable == ((SHOP, told),)


async def test_what_names_no_base_has_none(stores: Stores) -> None:
    await reading(stores, Reading("tree"))
    assert await standing(stores) is Standing.NO_BASE


async def test_what_was_not_read_is_unreadable(stores: Stores) -> None:
    await stores.listing(Repository(SHOP, "main"))
    assert await standing(stores) is Standing.UNREADABLE


async def test_what_left_the_list_has_no_standing(stores: Stores) -> None:
    await stores.listing(Repository(SHOP, "main"))
    await stores.standing.count()
    stores.clock.advance(2 * HOUR)
    await stores.listing()
    assert await standing(stores) is None


async def test_only_what_changed_is_written(stores: Stores) -> None:
    await stores.fill(3)
    assert await stores.standing.count() == 3
    assert await stores.standing.count() == 0


async def test_the_fleet_is_shown_a_page_at_a_time_the_worst_first(stores: Stores) -> None:
    await stores.fill(5)
    await stores.plan_all()
    await end(stores, RebuildState.SUCCEEDED)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 3).values(state=RebuildState.FAILED.value))
    await stores.standing.count()
    fleet = await stores.fleet.fleet(FleetFilter(), Cut(1, 2))
    assert [row.standing for row in fleet.repositories.items] == [Standing.FAILED, Standing.BEHIND]
    assert (fleet.repositories.total, fleet.repositories.pages) == (5, 3)
    assert (fleet.standings[Standing.FAILED], fleet.standings[Standing.BEHIND]) == (1, 4)
    assert sum(fleet.ages.values()) == 5
    [today] = fleet.days
    assert today.standings[Standing.BEHIND] == 4


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (FleetFilter(text="SHOP-0001"), ["contoso/shop-0001"]),
        (FleetFilter(text="%"), []),
        (FleetFilter(text="0", sort=Sort.NAME), ["contoso/shop-0000", "contoso/shop-0001"]),
        (FleetFilter(base=str(ASPNET), sort=Sort.SINCE), ["contoso/shop-0000", "contoso/shop-0001"]),
        (FleetFilter(base=str(SDK)), []),
        (FleetFilter(base="nonsense"), []),
        (FleetFilter(standing=Standing.CURRENT), []),
    ],
)
async def test_repositories_are_found(stores: Stores, wanted: FleetFilter, names: list[str]) -> None:
    await stores.fill(2)
    await stores.standing.count()
    fleet = await stores.fleet.fleet(wanted, Cut())
    assert [row.name for row in fleet.repositories.items] == names


async def test_what_stands_as_before_is_not_written_again_on_the_same_day(stores: Stores) -> None:
    await stores.fill(2)
    assert await stores.standing.count() == 2
    with statements(stores.database.engine) as told:
        assert await stores.standing.count() == 0
    assert [each for each in told if not each.startswith(("BEGIN", "SELECT"))] == []
    stores.clock.advance(24 * HOUR)
    assert await stores.standing.count() == 0
    async with stores.database.reading() as connection:
        rows = (await connection.execute(select(standing_days).order_by(standing_days.c.day))).all()
    assert [row.day for row in rows if row.standing == "behind" and row.repositories == 2] == [
        stores.clock.now().date() - timedelta(days=1),
        stores.clock.now().date(),
    ]
    assert len(rows) == 2 * len(Standing)


async def test_metrics_count_what_stands(stores: Stores) -> None:
    await stores.fill(2)
    await stores.plan_all()
    await stores.standing.count()
    figures = await stores.figures.figures()
    assert figures.standings["behind"] == 2
    assert figures.open_rebuilds[RebuildState.PLANNED] == 2
    assert figures.queues["rebuilds"].due == 2
    assert figures.bases == 1
    assert figures.open_rollouts == 1
    assert figures.notices[Topic.WITHDRAWN] == 0


async def test_metrics_read_what_ended_since(stores: Stores) -> None:
    await stores.fill(1)
    await stores.plan_all()
    before = await stores.figures.marks()
    stores.clock.advance(3 * HOUR)
    await end(stores, RebuildState.SUCCEEDED)
    news = await stores.figures.news(before)
    [ended] = [each for each in news.ended if each.transition > before.transition]
    assert (ended.outcome, ended.took) == (RebuildState.SUCCEEDED, timedelta(hours=3))
    assert [change.cause for change in news.changes] == ["dotnet-release"]


async def test_what_a_usage_pins_stands_beside_it(stores: Stores) -> None:
    await reading(stores, Reading("tree", ((usage_of(ASPNET), ASPNET), (floating(SDK), SDK))))
    assert await stores.column(usages, "digest") == [digest("a"), None]
