"""A repository is who its forge and that forge's id of it say, whatever it is called."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from bot.domain.repositories.repository import Identity, Repository
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.fleet.act.ports import Successor
from bot.fleet.discover.ports import Listing
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores

SHOP = Repository("contoso/shop-0000", "main", id="11", node_id="R_11")
DESK = Repository("contoso/desk", "main", id="12", node_id="R_12")


async def rows(stores: Stores) -> dict[str, tuple[str, bool]]:
    async with stores.database.transaction() as connection:
        found = await connection.execute(
            select(repositories.c.forge_id, repositories.c.name, repositories.c.listed).where(
                repositories.c.forge_id.is_not(None)
            )
        )
        return {row.forge_id: (row.name, row.listed) for row in found}


async def listed(stores: Stores, *shown: Repository) -> None:
    stores.clock.advance(HOUR)
    await stores.listing(*shown)


async def test_a_row_from_before_ids_were_kept_gets_them(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await listed(stores, SHOP)
    assert await stores.count(repositories) == 1
    (job,) = await stores.jobs(10)
    assert job.member.identity == Identity(SHOP.name, "R_11")
    assert job.rebuild.identity == Identity(SHOP.name, "R_11")


async def test_a_renamed_repository_keeps_its_row_its_usages_and_its_rebuilds(stores: Stores) -> None:
    await stores.fill()
    await listed(stores, SHOP)
    await stores.plan_all()
    await listed(stores, replace(SHOP, name="northwind/store"))
    assert await stores.count(repositories) == await stores.count(usages) == 1
    (job,) = await stores.jobs(10)
    assert (job.rebuild.repository, job.is_listed) == ("northwind/store", True)


async def test_two_repositories_may_swap_their_names(stores: Stores) -> None:
    await listed(stores, SHOP, DESK)
    await listed(stores, replace(SHOP, name=DESK.name), replace(DESK, name=SHOP.name))
    assert await rows(stores) == {"11": (DESK.name, True), "12": (SHOP.name, True)}


async def test_a_new_repository_under_an_old_name_is_another(stores: Stores) -> None:
    await stores.fill()
    await listed(stores, SHOP)
    await stores.plan_all()
    await listed(stores, replace(SHOP, id="99", node_id="R_99"))
    known = await rows(stores)
    assert known["99"] == (SHOP.name, True)
    assert (known["11"][0] == SHOP.name, known["11"][1]) == (False, False)
    (job,) = await stores.jobs(10)
    assert (job.member.node_id, job.is_listed) == ("R_11", False)


async def test_another_spelling_is_the_same_repository(stores: Stores) -> None:
    await listed(stores, SHOP)
    await listed(stores, replace(SHOP, name="Contoso/Shop-0000"))
    assert await rows(stores) == {"11": ("Contoso/Shop-0000", True)}


async def test_the_fleet_is_known_by_its_ids(stores: Stores) -> None:
    await listed(stores, SHOP, DESK)
    assert (await stores.discover.known_fleet()).keys == {SHOP.name: SHOP.key, DESK.name: DESK.key}


async def test_the_same_id_at_another_forge_is_another_repository(stores: Stores) -> None:
    elsewhere = replace(SHOP, name="contoso/team/shop", forge="azure-devops")
    await listed(stores, SHOP)
    await stores.discover.expect_listing([elsewhere.forge])
    [task] = await stores.taken(stores.discover.listings())
    await stores.discover.record_listing(task, Listing((elsewhere,)), stores.clock.now() + 9 * HOUR)
    await listed(stores, replace(SHOP, name="contoso/store"))
    known = [(await stores.discover.known_fleet(forge)).keys for forge in (SHOP.forge, elsewhere.forge)]
    assert known == [{"contoso/store": SHOP.key}, {"contoso/team/shop": elsewhere.key}]


async def test_a_row_without_an_id_is_not_taken_for_a_repository_of_another_forge(stores: Stores) -> None:
    await stores.fill()
    await listed(stores, replace(SHOP, forge="azure-devops"))
    async with stores.database.reading() as connection:
        query = select(repositories.c.forge, repositories.c.forge_id).order_by(repositories.c.id)
        found = (await connection.execute(query)).all()
    assert [tuple(row) for row in found] == [("github", None), ("azure-devops", "11")]


async def test_what_is_read_is_read_by_node_id(stores: Stores) -> None:
    await listed(stores, SHOP)
    (due,) = await stores.taken(stores.discover.repositories, 10)
    assert due.identity == Identity(SHOP.name, "R_11")


# What takes the place of a pull request


async def opened(stores: Stores) -> None:
    for job in await stores.jobs(10):
        after = job.rebuild.moved(RebuildState.OPEN, "open", at=stores.clock.now())
        later = stores.clock.now() + timedelta(days=1)
        await stores.act.settle_rebuild(job.rebuild, replace(after, node_id="PR_1", due_at=later))


async def test_what_is_open_is_followed_by_its_node_id(stores: Stores) -> None:
    await stores.fill()
    await listed(stores, SHOP)
    await stores.plan_all()
    await opened(stores)
    stores.clock.advance(timedelta(days=1))
    (rebuild,) = await stores.taken(stores.follow.followed, 1_000)
    assert (rebuild.node_id, rebuild.identity) == ("PR_1", Identity(SHOP.name, "R_11"))


async def test_a_dispatch_makes_due_the_pull_request_that_it_replaces(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET,))
    await stores.plan_all()
    await opened(stores)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c"})
    await stores.assess_all()
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="go.yml")
    assert [item.name for item in await stores.act.due_for_dispatch(10)] == [SHOP.name]
    (job,) = await stores.jobs(10)
    sent = replace(job.rebuild, attempted_at=stores.clock.now(), dispatches=1)
    await stores.act.save_progress(sent)
    await stores.act.outdate_pull_requests(sent)
    (outdated,) = await stores.jobs(10)
    assert (outdated.rebuild.state, outdated.replaced_by) == (RebuildState.OPEN, Successor(Action.DISPATCH, None))
    assert job.places == {ASPNET: ("Dockerfile",)}


async def test_a_dispatch_that_is_only_planned_replaces_nothing_yet(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    await stores.plan_all()
    await opened(stores)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", SDK: "c"})
    await stores.assess_all()
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="go.yml", due_in=HOUR)
    async with stores.database.transaction() as connection:
        await connection.execute(
            rebuilds.update().where(rebuilds.c.state == "open").values(text_version=-1, due_at=stores.clock.now())
        )
    (outdated,) = await stores.jobs(10)
    assert outdated.replaced_by is None
