"""What discovery knows of the fleet."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.repositories.repository import Reading, Repository, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem
from bot.domain.rollouts.policy import ActionPreference
from bot.store.rows.bases.tables import bases, incidents
from bot.store.rows.repositories.tables import repositories, usages
from tests.integration.store.conftest import NOON, ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, usage_of

SHOP = Repository("contoso/shop", "main", NOON - timedelta(days=3))
DESK = Repository("contoso/desk", "main", NOON - timedelta(days=3))
READING = Reading(
    "tree-1",
    ((usage_of(ASPNET), ASPNET), (usage_of(SDK, "build/Dockerfile"), SDK)),
    (Workflow(".github/workflows/weekly-rebuild.yml", ("reason",)),),
    RepositoryConfig(action=ActionPreference.DISPATCH, labels=("deps",)),
    (SourceProblem("Dockerfile", 3, "no such stage"),),
)


async def names_due(stores: Stores) -> list[str]:
    return sorted(item.name for item in await stores.repositories(100))


async def list_again(stores: Stores, *listed: Repository) -> None:
    stores.clock.advance(HOUR)
    await stores.listing(*listed)


@ON_BOTH
async def test_one_replica_lists_the_fleet(stores: Stores) -> None:
    tasks = [await stores.other(name).listings() for name in ("one", "two")]
    assert [len(taken) for taken in tasks] == [1, 0]


async def test_many_words_that_cannot_be_understood_are_one_incident_until_they_can(stores: Stores) -> None:
    names = [Repository(f"contoso/shop-{number:02}", "main", NOON) for number in range(11)]
    await stores.listing(*names)
    unread = replace(READING, config=RepositoryConfig.not_read("not valid YAML"))
    await stores.read(unread)
    await stores.discover.tell_unread("many cannot be understood")
    await stores.discover.tell_unread(None)
    assert await stores.column(incidents, "cleared_at") == [None]
    stores.clock.advance(HOUR)
    await stores.listing(*(replace(each, pushed_at=stores.clock.now()) for each in names))
    assert all(item.is_unread for item in await stores.repositories(5))
    stores.clock.advance(HOUR)
    await stores.read(READING)
    await stores.discover.tell_unread(None)
    assert await stores.column(incidents, "cleared_at") == [stores.clock.now()]


async def test_a_repository_that_is_gone_loses_its_usages_and_is_not_read(stores: Stores) -> None:
    await stores.listing(SHOP, DESK)
    await stores.read(READING)
    await list_again(stores, DESK)
    assert await stores.count(usages) == 2
    stores.clock.advance(48 * HOUR)
    assert await names_due(stores) == ["contoso/desk"]


async def test_bases_that_nobody_uses_any_more_are_not_polled(stores: Stores) -> None:
    await stores.listing(SHOP)
    await stores.read(READING)
    assert await stores.column(bases, "used") == [True, True]
    await list_again(stores)
    assert await stores.column(bases, "used") == [False, False]
    assert await stores.bases(10) == []


async def test_reading_twice_leaves_what_reading_once_leaves(stores: Stores) -> None:
    await stores.listing(SHOP)
    for _ in range(2):
        await stores.read(READING)
        explained = await stores.repository_views.explain("contoso/shop")
        assert [(usage.path, base) for usage, base, _ in explained.usages] == [
            ("Dockerfile", ASPNET),
            ("build/Dockerfile", SDK),
        ]
        assert explained.problems == READING.problems
        assert await stores.count(bases) == 2
        stores.clock.advance(48 * HOUR)


async def test_a_base_seen_for_the_first_time_is_due_at_once(stores: Stores) -> None:
    await stores.listing(SHOP)
    await stores.read(READING)
    due = await stores.bases(10)
    assert sorted(each.base for each in due) == [ASPNET, SDK]


async def test_planning_sees_workflows_and_configuration(stores: Stores) -> None:
    await stores.listing(SHOP)
    await stores.read(READING)
    await stores.see({ASPNET: "a", SDK: "a"})
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b", SDK: "b"})
    await stores.assess_all()
    member = (await stores.plan.affected([1]))[1][0].member
    assert (member.workflows, member.config) == (READING.workflows, READING.config)


async def test_a_reading_that_failed_keeps_what_was_known_and_says_why(stores: Stores) -> None:
    await stores.listing(SHOP)
    await stores.read(READING)
    stores.clock.advance(48 * HOUR)
    due = (await stores.repositories(1))[0]
    later = stores.clock.now() + HOUR
    await stores.put_off(stores.discover.repositories, due.id, later, "contoso/shop: no answer")
    explained = await stores.repository_views.explain("contoso/shop")
    assert explained.error == "contoso/shop: no answer"
    assert len(explained.usages) == 2


async def test_a_default_branch_where_it_was_writes_only_the_next_time(stores: Stores) -> None:
    await stores.listing(SHOP)
    due = (await stores.repositories(1))[0]
    await stores.discover.keep_reading(due, stores.clock.now() + HOUR)
    assert await stores.column(repositories, "read_at") == [None]
    assert await names_due(stores) == []


async def test_a_large_fleet_is_listed(stores: Stores) -> None:
    fleet = [Repository(f"contoso/r{number}", "main") for number in range(600)]
    await stores.listing(*fleet)
    await stores.read(Reading(None))
    await list_again(stores, *(replace(item, pushed_at=NOON) for item in fleet[:300]), *fleet[300:550])
    assert len(await stores.repositories(5000)) == 300
    assert (await stores.fleet_views.status()).repositories == 550
