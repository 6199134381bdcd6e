"""`export` and `import`: the log of observations and releases as JSON Lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bot.assess.assess import assess
from bot.assess.releases import ReleaseIndex
from bot.assess.succession import Standing, follow
from bot.domain.change import Change
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.observation import Observation
from bot.domain.reference import Base
from bot.service.wiring import store_url
from bot.settings import Settings
from bot.store.database import open_database
from bot.store.history import HistoryStore
from bot.watch.log import read_observations, read_releases, write_observations, write_releases

_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """How many rows were written or taken in; `skipped` are older than what the log already has."""

    observations: int = 0
    releases: int = 0
    skipped: int = 0


async def export_log(settings: Settings, observations: Path | None, releases: Path | None) -> Moved:
    database = await open_database(store_url(settings))
    try:
        store = HistoryStore(database)
        seen = listed = 0
        if observations is not None:
            rows = [row async for row in store.observations()]
            seen = _write(observations, rows)
        if releases is not None:
            known = await store.releases()
            with _opened(releases) as out:
                listed = write_releases(known, out)
        return Moved(seen, listed)
    finally:
        await database.close()


async def import_log(settings: Settings, observations: Path | None, releases: Path | None, clock: Clock) -> Moved:
    """Continues the log of each base; rows that are not newer than its last observation are left out.

    A watched base's next poll counts as its first sight, so that an old log sets off no rollout.
    """
    database = await open_database(store_url(settings))
    try:
        store = HistoryStore(database)
        listed = list(read_releases(releases)) if releases is not None else []
        await store.add_releases(listed)
        if observations is None:
            return Moved(0, len(listed))
        index = ReleaseIndex(await store.releases())
        newest = await store.newest()
        taken = skipped = 0
        waiting: list[tuple[Observation, Change | None]] = []
        standings: dict[Base, Standing | None] = {}
        for row in read_observations(observations):
            if row.base in newest and row.at <= newest[row.base]:
                skipped += 1
                continue
            standings[row.base], before = follow(standings.get(row.base), row)
            change = assess(before, row, index, {}, clock.now()) if before is not None else None
            waiting.append((row, change))
            taken += 1
            if len(waiting) >= _TOGETHER:
                await store.add(waiting, clock.now())
                waiting = []
        await store.add(waiting, clock.now())
        return Moved(taken, len(listed), skipped)
    finally:
        await database.close()


def _write(path: Path, rows: Iterable[Observation]) -> int:
    with _opened(path) as out:
        return write_observations(rows, out)


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be written: {error.strerror}", where=str(path)) from error
