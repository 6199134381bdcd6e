"""Since when places name the images that they run: what stays the same keeps its time, and is not written."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from bot.domain.reference import Reference
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.usage import Usage
from bot.store.rows.images.images import deployments
from bot.store.rows.repositories.tables import repositories
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.statements import statements

SHOP = "ghcr.io/contoso/shop"


def place(line: int, tag: str | None = None, pin: str | None = None, path: str = "app.yaml") -> Usage:
    return replace(usage_of(ASPNET), reference=Reference(SHOP, tag, pin), path=path, line=line)


async def reads(stores: Stores, *places: Usage, reader: str = "1", tree: str | None = "tree") -> datetime:
    """The repository turns out to run images there, a day after it was read last; when that was."""
    stores.clock.advance(25 * HOUR)
    await stores.read(Reading(tree, deployed=places, reader=reader))
    return stores.clock.now()


async def kept(stores: Stores) -> list[tuple[int, datetime, bool]]:
    """The line of each place, since when it names what it does, and whether that may be longer."""
    columns = (deployments.c[name] for name in ("line", "since", "is_older"))
    async with stores.database.reading() as connection:
        rows = await connection.execute(select(*columns).order_by(deployments.c.path, deployments.c.line))
    return [(line, since, is_older) for line, since, is_older in rows]


async def before(stores: Stores) -> list[list[str] | None]:
    """What each place named before, by its tags, the latest first."""
    async with stores.database.reading() as connection:
        rows = await connection.scalars(
            select(deployments.c.named_before).order_by(deployments.c.path, deployments.c.line)
        )
        return [None if row is None else [each["tag"] for each in row] for row in rows]


@pytest.fixture
async def shop(stores: Stores) -> Stores:
    await stores.listing(Repository("contoso/shop", "main"))
    return stores


async def test_what_a_repository_names_when_it_is_first_read_may_be_older(shop: Stores) -> None:
    at = await reads(shop, place(3, "latest"))
    assert await kept(shop) == [(3, at, True)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (place(3, "1"), place(3, "2")),
        (place(3, pin=digest("1")), place(3, pin=digest("2"))),
        (place(3, "1"), place(3, "1", digest("1"))),
        (place(3, "1"), place(3, "2", path="other.yaml")),
    ],
    ids=["tag", "digest", "pinned", "other file"],
)
async def test_a_place_that_names_another_build_begins_anew(shop: Stores, before: Usage, after: Usage) -> None:
    await reads(shop, before)
    at = await reads(shop, after)
    assert await kept(shop) == [(3, at, False)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (place(3, "1"), place(9, "1")),
        (place(3), place(9, "latest")),
        (place(3, "1", digest("1")), place(9, "2", digest("1"))),
        (place(3, "1"), place(9, "1", path="renamed.yaml")),
    ],
    ids=["tag", "latest", "digest", "renamed"],
)
async def test_a_place_keeps_its_time_on_whichever_line_it_names_the_same(
    shop: Stores, before: Usage, after: Usage
) -> None:
    await reads(shop)
    at = await reads(shop, before)
    await reads(shop, after)
    assert await kept(shop) == [(9, at, False)]
    async with shop.database.reading() as connection:
        assert (await connection.scalars(select(deployments.c.tag))).all() == [after.reference.tag]


async def test_places_of_one_file_that_name_the_same_keep_their_times_in_their_order(shop: Stores) -> None:
    first = await reads(shop, place(3, "1"))
    second = await reads(shop, place(3, "1"), place(9, "1"))
    third = await reads(shop, place(16, "1"), place(6, "1"), place(12, "1"))
    assert await kept(shop) == [(6, first, True), (12, second, False), (16, third, False)]
    await reads(shop, place(6, "1"))
    assert await kept(shop) == [(6, first, True)]


async def test_a_build_that_goes_from_one_file_to_another_begins_anew_there(shop: Stores) -> None:
    """One change promotes a build from staging to production, and the next one to staging."""
    await reads(shop, place(3, "1", path="production.yaml"), place(3, "2", path="staging.yaml"))
    at = await reads(shop, place(4, "2", path="production.yaml"), place(5, "3", path="staging.yaml"))
    assert await kept(shop) == [(4, at, False), (5, at, False)]
    at = await reads(shop, place(4, "2", path="production.yaml"), place(9, "3", path="production.yaml"))
    assert (await kept(shop))[-1] == (9, at, False), "staging is no more"


async def test_what_another_reader_finds_first_may_be_older(shop: Stores) -> None:
    """It may read what the one before did not."""
    await reads(shop, reader="1")
    at = await reads(shop, place(3, "1"), reader="2")
    assert await kept(shop) == [(3, at, True)]


async def test_what_is_there_when_a_repository_comes_back_may_be_older(shop: Stores) -> None:
    await reads(shop, place(3, "1"))
    await reads(shop, place(3, "2"))
    shop.clock.advance(HOUR)
    await shop.listing(Repository("contoso/other", "main"))
    assert await kept(shop) == []
    shop.clock.advance(HOUR)
    await shop.listing(Repository("contoso/shop", "main"))
    at = await reads(shop, place(3, "2"))
    assert await kept(shop) == [(3, at, True)]


async def test_what_is_new_in_a_repository_that_is_to_be_read_again_is_as_new_as_in_any_other(shop: Stores) -> None:
    """Nothing that is known of it went with its tree."""
    await reads(shop, place(3, "1"))
    async with shop.database.reading() as connection:
        [number] = await connection.scalars(select(repositories.c.id))
    await shop.act.read_again(number)
    at = await reads(shop, place(3, "2"), place(9, "1", path="b.yaml"))
    assert await kept(shop) == [(3, at, False), (9, at, False)]


async def test_what_comes_into_an_empty_repository_is_new(shop: Stores) -> None:
    await reads(shop, tree=None)
    at = await reads(shop, place(3, "1"))
    assert await kept(shop) == [(3, at, False)]


async def test_a_place_keeps_what_it_named_before_on_whichever_line_and_under_whichever_name(shop: Stores) -> None:
    await reads(shop, place(3, "1"))
    await reads(shop, place(9, "2"))
    await reads(shop, place(12, "3"))
    await reads(shop, place(14, "3", path="renamed.yaml"))
    assert await before(shop) == [["2", "1"]]


async def test_a_new_place_named_nothing_before(shop: Stores) -> None:
    await reads(shop, place(3, "1"))
    await reads(shop, place(3, "1"), place(9, "2"), place(4, "1", path="b.yaml"))
    assert await before(shop) == [[], [], []]


async def test_of_two_places_in_one_file_each_keeps_what_was_there(shop: Stores) -> None:
    await reads(shop, place(3, "1"), place(9, "2"))
    await reads(shop, place(3, "3"), place(9, "4"))
    assert await before(shop) == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ((place(3, "1"), place(9, "2")), (place(3, "3"),)),
        ((place(3, "1"),), (place(3, "2"), place(9, "3"))),
    ],
    ids=["one less", "one more"],
)
async def test_which_of_several_places_in_one_file_is_left_or_was_there_is_not_known(
    shop: Stores, then: tuple[Usage, ...], now: tuple[Usage, ...]
) -> None:
    await reads(shop, *then, place(3, "1", path="b.yaml"))
    await reads(shop, *now, place(3, "2", path="b.yaml"))
    assert await before(shop) == [*(None for _ in now), ["1"]]


async def test_what_a_place_of_another_image_named_before_is_not_told(shop: Stores) -> None:
    other = replace(place(3), reference=Reference("ghcr.io/contoso/till", "1"))
    await reads(shop, other)
    await reads(shop, place(3, "1"))
    assert await before(shop) == [[]]


async def test_a_place_that_may_have_come_from_another_file_may_have_named_anything_before(shop: Stores) -> None:
    await reads(shop, place(3, "1"))
    await reads(shop, place(3, "2", path="b.yaml"))
    assert await before(shop) == [None]
    await reads(shop, place(3, "3", path="b.yaml"))
    async with shop.database.reading() as connection:
        [row] = await connection.scalars(select(deployments.c.named_before))
    assert [(each["tag"], each["is_older"]) for each in row] == [("2", True)]


async def test_of_what_a_place_named_before_the_latest_is_kept_and_that_there_was_more(shop: Stores) -> None:
    for number in range(33):
        await reads(shop, place(3, str(number)))
    async with shop.database.reading() as connection:
        [row] = await connection.scalars(select(deployments.c.named_before))
    assert [each["tag"] for each in row] == [str(number) for number in range(31, 1, -1)]
    assert [each["is_older"] for each in row] == [False] * 29 + [True]


@pytest.mark.parametrize(
    ("after", "most"),
    [
        ((place(3, "1"), place(9, "1", path="b.yaml")), 0),
        ((place(4, "1"), place(10, "2", path="b.yaml")), 1),
        ((place(4, "1"),), 2),
        ((place(4, "1"), place(9, "1", path="b.yaml"), place(3, "1", path="c.yaml")), 2),
        ((place(3, "1"), place(9, "1", path="renamed.yaml")), 1),
        ((), 1),
    ],
    ids=["the same", "moved and another", "one less", "one more", "renamed", "none"],
)
async def test_only_what_changed_is_written(shop: Stores, after: tuple[Usage, ...], most: int) -> None:
    await reads(shop, place(3, "1"), place(9, "1", path="b.yaml"))
    with statements(shop.database.engine) as told:
        await reads(shop, *after)
    theirs = [each for each in told if "deployments" in each and not each.startswith("SELECT")]
    assert len(theirs) == most, theirs
    assert [line for line, _, _ in await kept(shop)] == [each.line for each in after]
