"""What a base showed before it was watched, put before what was seen of it since."""

from datetime import datetime, timedelta

from sqlalchemy import select

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.store.history import Logged
from bot.store.rows.bases.tables import bases, observations
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.integration.store.statements import statements

SHOP = "contoso/shop-0000"
USES = ((usage_of(ASPNET), ASPNET),)
DAYS = timedelta(days=60)


def shown(letter: str, at: datetime) -> Observation:
    return Observation(at, ASPNET, digest(letter), "10.0.4")


def moved(before: str, after: str, at: datetime) -> Change:
    return Change(ASPNET, at, digest(before), digest(after), Cause.OS_UPDATE, Cause.OS_UPDATE)


async def watched_since_today(stores: Stores) -> None:
    """A repository pins `a`; the base shows `b` since it is watched."""
    await stores.listing(Repository(SHOP, "main"))
    await stores.read(Reading("tree-1", USES))
    await stores.see({ASPNET: "b"})


async def letters(stores: Stores) -> list[str]:
    return [found[-1] for found in await stores.column(observations, "digest")]


async def test_it_goes_before_the_log_and_the_base_still_shows_its_last(stores: Stores) -> None:
    await watched_since_today(stores)
    published = stores.clock.now() - DAYS
    await stores.history.put_before(ASPNET, [Logged(shown("a", published))], moved("a", "b", stores.clock.now()))
    assert await letters(stores) == ["a", "b"]
    async with stores.database.reading() as connection:
        row = (
            await connection.execute(
                select(observations.c.digest).join(bases, bases.c.observation_id == observations.c.id)
            )
        ).one()
    assert row.digest == digest("b")
    assert [change.to_digest for change, _ in await stores.base_views.changes_of(str(ASPNET))] == [digest("b")]


async def test_what_the_base_shows_counts_from_its_publication(stores: Stores) -> None:
    await watched_since_today(stores)
    published = stores.clock.now() - DAYS
    earlier = [
        Logged(shown("a", published - DAYS)),
        Logged(shown("b", published), moved("a", "b", published)),
    ]
    await stores.history.put_before(ASPNET, earlier, None)
    assert await stores.column(bases, "moved_at") == [published]


async def test_a_pin_that_only_an_imported_change_left_behind_sets_off_no_rollout(stores: Stores) -> None:
    await watched_since_today(stores)
    published = stores.clock.now() - DAYS
    await stores.history.put_before(ASPNET, [Logged(shown("a", published))], moved("a", "b", stores.clock.now()))
    stores.clock.advance(48 * HOUR)
    await stores.listing(Repository(SHOP, "main"))
    await stores.read(Reading("tree-2", USES))
    assert await stores.plan.unplanned() == []


async def test_a_change_that_was_seen_stays_the_last_one_when_older_ones_are_put_before_it(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    published = stores.clock.now() - DAYS
    earlier = [
        Logged(shown("c", published - DAYS)),
        Logged(shown("d", published), moved("c", "d", published)),
    ]
    await stores.history.put_before(ASPNET, earlier, moved("d", "a", stores.clock.now() - HOUR))
    assert await letters(stores) == ["c", "d", "a", "b"]
    await stores.listing(Repository(SHOP, "main"), Repository("contoso/new", "main"))
    await stores.read(Reading("tree-2", USES))
    [move] = await stores.plan.unplanned()
    assert move.change.to_digest == digest("b")


async def test_a_first_sight_that_differs_from_an_imported_log_is_told_and_sets_off_nothing(stores: Stores) -> None:
    published = stores.clock.now() - DAYS
    await stores.history.add([Logged(shown("a", published))])
    await watched_since_today(stores)
    assert [change.to_digest for change in await stores.assess_all()] == [digest("b")]
    assert await stores.plan.unplanned() == []
    assert [change.from_digest for change, _ in await stores.base_views.changes_of(str(ASPNET))] == [digest("a")]


async def reading_history(stores: Stores) -> tuple[int, int]:
    """How many bases the history of `aspnet:10.0` tells of, and in how many statements it is read."""
    with statements(stores.database._readers) as told:
        seen = await stores.base_views.observations_of("aspnet:10.0")
        changed = await stores.base_views.changes_of("aspnet:10.0")
        await stores.base_views.watched()
        await stores.history.releases()
    assert {change.base for change, _ in changed} == seen.keys()
    return len(seen), len([each for each in told if each.startswith(("SELECT", "WITH"))])


async def test_a_history_is_read_in_as_many_statements_for_many_bases_as_for_one(stores: Stores) -> None:
    many = {Base(f"mirror-{number}.example", ASPNET.repository, ASPNET.tag) for number in range(60)}
    found = []
    for some in ({ASPNET}, {ASPNET, *many}):
        await stores.listing(Repository(f"contoso/shop-{len(some)}", "main"))
        await stores.read(Reading(f"tree-{len(some)}", tuple((usage_of(base), base) for base in sorted(some))))
        for letter in "ab":
            await stores.see(dict.fromkeys(some, letter))
            stores.clock.advance(25 * HOUR)
        await stores.assess_all()
        found.append(await reading_history(stores))
    assert [number for number, _ in found] == [1, 61]
    assert found[0][1] == found[1][1] < 12
