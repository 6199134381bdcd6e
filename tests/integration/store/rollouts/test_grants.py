"""What an owner has refused the bot is tried again at once when the owner has granted something."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain.repositories.repository import Repository
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.discover.ports import Listing
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import HOUR, Stores

LESS = {"contents": "read", "metadata": "read"}
MORE = {"contents": "write", "metadata": "read"}
Grants = Mapping[str, Mapping[str, str]]


async def listed(stores: Stores, grants: Grants | None) -> None:
    """The next listing, which shows what is known, and these grants."""
    stores.clock.advance(HOUR)
    [task] = await stores.listings()
    shown = tuple(Repository(name, "main") for name in await stores.column(repositories, "name"))
    await stores.discover.record_listing(task, Listing(shown, grants=grants), stores.clock.now() + HOUR)


async def waiting(stores: Stores) -> None:
    """A rebuild that was refused for want of a right, and is put off for a day."""
    await stores.fill()
    await listed(stores, {"contoso": LESS})
    await stores.plan_all()
    [job] = await stores.jobs()
    put_off = job.rebuild.moved(RebuildState.WAITING, "HTTP 403", at=stores.clock.now())
    put_off = replace(put_off, due_at=stores.clock.now() + 24 * HOUR)
    await stores.act.settle_rebuild(job.rebuild, put_off, succeeded=False)


async def test_what_waits_for_a_right_is_due_at_once_when_it_is_granted(stores: Stores) -> None:
    await waiting(stores)
    await listed(stores, {"contoso": LESS})
    assert await stores.jobs() == []
    await listed(stores, {"contoso": MORE})
    assert len(await stores.jobs()) == 1


@pytest.mark.parametrize(
    "grants",
    [None, {"fabrikam": MORE}, {"contoso": LESS, "fabrikam": MORE}],
    ids=["cannot be told", "another's alone", "another's"],
)
async def test_nothing_is_due_where_nothing_was_granted(stores: Stores, grants: Grants | None) -> None:
    await waiting(stores)
    await listed(stores, grants)
    assert await stores.jobs() == []


async def test_who_lets_the_bot_in_again_has_granted_it_all(stores: Stores) -> None:
    """As after a suspension."""
    await waiting(stores)
    await listed(stores, {})
    assert await stores.jobs() == []
    await listed(stores, {"contoso": LESS})
    assert len(await stores.jobs()) == 1


@pytest.mark.parametrize("end", [RebuildState.SKIPPED, RebuildState.FAILED], ids=str)
async def test_what_has_ended_for_want_of_a_right_is_read_and_planned_again_at_once(
    stores: Stores, end: RebuildState
) -> None:
    await stores.fill()
    await listed(stores, {"contoso": LESS})
    await stores.plan_all()
    [job] = await stores.jobs()
    ended = job.rebuild.moved(end, "HTTP 403", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, ended, succeeded=False)
    assert await stores.repositories() == []
    await listed(stores, {"contoso": MORE})
    [due] = await stores.repositories()
    assert (due.name, due.tree) == ("contoso/shop-0000", None)


async def test_a_repository_in_which_nothing_was_refused_is_not_read_again(stores: Stores) -> None:
    await stores.fill()
    await listed(stores, {"contoso": LESS})
    await listed(stores, {"contoso": MORE})
    assert await stores.repositories() == []


async def test_an_open_pull_request_gets_what_could_not_be_written_before(stores: Stores) -> None:
    await stores.fill()
    await listed(stores, {"contoso": LESS})
    await stores.plan_all()
    [job] = await stores.jobs()
    opened = job.rebuild.moved(RebuildState.OPEN, "opened without the workflows", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, replace(opened, due_at=stores.clock.now() + 24 * HOUR))
    await listed(stores, {"contoso": MORE})
    assert [each.rebuild.state for each in await stores.jobs()] == [RebuildState.OPEN]


async def test_what_somebody_works_on_is_left_alone(stores: Stores) -> None:
    await waiting(stores)
    until = stores.clock.now() + timedelta(days=1)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(lease_owner="another", lease_until=until))
    await listed(stores, {"contoso": MORE})
    assert await stores.column(rebuilds, "lease_owner") == ["another"]
    [due] = await stores.column(rebuilds, "due_at")
    assert due > stores.clock.now()


async def test_what_is_granted_at_another_forge_is_kept_apart_though_its_owner_bears_the_same_name(
    stores: Stores,
) -> None:
    await waiting(stores)
    await stores.discover.expect_listing(["azure-devops"])
    is_moved = False

    async def listed_there(grants: Grants) -> None:
        stores.clock.advance(HOUR)
        [task] = await stores.taken(stores.discover.listings(["azure-devops"]))
        shown = (Repository("contoso/team/desk", "main", forge="azure-devops"),) if is_moved else ()
        await stores.discover.record_listing(task, Listing(shown, grants=grants), stores.clock.now() + HOUR)

    await listed_there({"contoso": LESS})
    await listed_there({"contoso": MORE})
    assert await stores.jobs() == []
    await listed(stores, {"contoso": LESS})
    assert await stores.jobs() == []
    async with stores.database.transaction() as connection:
        await connection.execute(update(repositories).values(forge="azure-devops", name="contoso/team/desk"))
    is_moved = True
    await listed_there({"contoso": MORE})
    assert await stores.jobs() == []
    await listed_there({"contoso": {**MORE, "issues": "write"}})
    assert len(await stores.jobs()) == 1
