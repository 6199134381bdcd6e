"""`export` and `import`: the log of observations and releases as JSON Lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bot.assess.assess import assess
from bot.assess.baseline import Standing, follow
from bot.assess.releases import ReleaseIndex
from bot.domain.bases.change import Change
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.service.wiring.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.history import HistoryStore
from bot.watch.history.log import read_observations, read_releases, write_observations, write_releases

_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """How many rows were written or taken in; `skipped` are older than what the log already has."""

    observations: int = 0
    releases: int = 0
    skipped: int = 0


async def export_log(settings: Settings, observations: Path | None, releases: Path | None, clock: Clock) -> Moved:
    """Writes the log oldest first, as it is read: several workers, or an import, append out of that order."""
    _check(observations, releases)
    async with opened_stores(settings, clock) as stores:
        seen = listed = 0
        if observations is not None:
            rows = [row async for row in stores.history.observations()]
            with _written(observations) as out:
                seen = write_observations(sorted(rows, key=lambda row: row.at), out)
        if releases is not None:
            known = await stores.history.releases()
            with _written(releases) as out:
                listed = write_releases(known, out)
        return Moved(seen, listed)


async def import_log(settings: Settings, observations: Path | None, releases: Path | None, clock: Clock) -> Moved:
    """Continues the log of each base; rows that are not newer than its last observation are left out, and the
    first that is newer is compared with it.

    A watched base's next poll counts as its first sight, so that an old log sets off no rollout.
    """
    _check(observations, releases)
    async with opened_stores(settings, clock) as stores:
        store = stores.history
        listed = list(read_releases(releases)) if releases is not None else []
        await store.add_releases(listed)
        if observations is None:
            return Moved(0, len(listed))
        index = ReleaseIndex(await store.releases())
        newest = await store.newest()
        taken = skipped = 0
        waiting: list[tuple[Observation, Change | None]] = []
        standings = await _standings(store)
        for row in read_observations(observations):
            if row.base in newest and row.at <= newest[row.base]:
                skipped += 1
                continue
            standings[row.base], before = follow(standings.get(row.base), row)
            change = assess(before, row, index, {}, clock.now()) if before is not None else None
            waiting.append((row, change))
            taken += 1
            if len(waiting) >= _TOGETHER:
                await store.add(waiting)
                waiting = []
        await store.add(waiting)
        return Moved(taken, len(listed), skipped)


def _check(observations: Path | None, releases: Path | None) -> None:
    if observations is None and releases is None:
        raise Failure(Trouble.MALFORMED, "there is nothing to do", advice="give --observations, --releases or both")
    if observations is not None and releases is not None and observations.resolve() == releases.resolve():
        what = "cannot hold observations and releases at once"
        raise Failure(Trouble.MALFORMED, what, where=str(observations), advice="give each a file of its own")


async def _standings(store: HistoryStore) -> dict[Base, Standing | None]:
    """Where each base stands at the end of the log."""
    standings: dict[Base, Standing | None] = {}
    async for row in store.observations():
        standings[row.base], _ = follow(standings.get(row.base), row)
    return standings


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("w", encoding="utf-8") as out:
            yield out
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        advice = "check folder, permissions and space"
        raise Failure(Trouble.DENIED, what, where=str(path), advice=advice) from error
