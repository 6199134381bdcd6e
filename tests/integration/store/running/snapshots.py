"""What a cluster tells of itself."""

from datetime import datetime, timedelta

from bot.domain.running.runs import RunningSource
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import SSL, publish, running

MINUTES = timedelta(minutes=5)
STALE = timedelta(minutes=30)
WEB = RunningPlace("shop", "Deployment", "web", "web")
EUROPE = RunningSource("europe", "production", STALE)


def runs_in(place: RunningPlace, *letters: str | None) -> tuple[RunningContainer, ...]:
    """The place runs the digests of these letters, one that is not pulled where it is None."""
    return tuple(
        RunningContainer(place, "ghcr.io/contoso/shop:latest", digest(each) if each else None, None, 0, 1)
        for each in letters
    )


async def tells(
    stores: Stores, *containers: RunningContainer, source: str = "europe", not_read: tuple[str, ...] = ()
) -> None:
    """The source tells five minutes later that these run."""
    stores.clock.advance(MINUTES)
    snapshot = Snapshot(stores.clock.now(), containers, not_read)
    assert await stores.running.save_snapshot(source, snapshot)
    await stores.running.match()


async def goes_on(stores: Stores, time: timedelta, *containers: RunningContainer) -> None:
    """The same runs all the while."""
    for _ in range(int(time / STALE)):
        stores.clock.advance(STALE - MINUTES)
        await tells(stores, *containers)


async def exposed_fleet(stores: Stores) -> datetime:
    """`web` runs an image of which a package is affected by what has just been published; when that was."""
    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    await publish(stores)
    published = stores.clock.now()
    await tells(stores, *runs_in(WEB, "e"))
    return published
