"""`export` and `import`: the log of observations and releases as JSON Lines; and how long the fleet's rebuilds
took."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from bot.backtest.command import KeptHistory
from bot.commands.progress import Progress
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.reference import Base
from bot.fleet.assess.assess import assess
from bot.fleet.assess.baseline import BaseStanding, follow
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.fleet.wiring.combined_feeds import CombinedFeeds
from bot.fleet.wiring.stores import store_url
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.engine.database import looked_into
from bot.store.engine.queue.leases import this_worker
from bot.store.history import HistoryStore, Logged
from bot.store.views.rollouts import RolloutViewsStore
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.history.inventory_git import read_history
from bot.upstream.history.log import read_observations, read_release_log, write_observations, write_releases
from bot.views.rollouts.rollout import OwnDurations

_TOGETHER = 500
MORE = (
    "for years of history clone https://github.com/dotnet/versions, then call `freshness-bot import --from-git "
    "versions`"
)


@dataclass(frozen=True, slots=True)
class LogTally:
    """How many rows were written or taken in; `skipped` are older than what the log already has."""

    observations: int = 0
    releases: int = 0
    skipped: int = 0


async def export_log(
    settings: Settings, observations: Path | None, releases: Path | None, clock: Clock
) -> LogTally:
    """Writes the log oldest first, as it is read: several workers, or an import, append out of that order."""
    _check(observations, releases)
    if observations is None and releases is None:
        raise Failure(Trouble.MALFORMED, "there is nothing to do", advice="give --observations, --releases or both")
    async with opened_stores(settings, clock) as stores:
        observation_count = release_count = 0
        if observations is not None:
            rows = [row async for row in stores[HistoryStore].observations()]
            with _open_file(observations) as out:
                observation_count = write_observations(sorted(rows, key=lambda row: row.at), out)
        if releases is not None:
            known_releases = await stores[HistoryStore].releases()
            with _open_file(releases) as out:
                release_count = write_releases(known_releases, out)
        return LogTally(observation_count, release_count)


@dataclass(frozen=True, slots=True)
class HistorySource:
    """Where history comes from: a log, a clone of dotnet/versions, and releases; None for what is not given."""

    observations: Path | None = None
    releases: Path | None = None
    clone: Path | None = None


async def import_log(
    settings: Settings, source: HistorySource, clock: Clock, progress: Progress = lambda done, total: None
) -> LogTally:
    """Continues the log of each base, and puts before it what is older than its first observation; between the
    first and the last, rows are left out.

    Where both ends meet, they are compared. A watched base's next poll counts as its first sight. So an old log
    sets off no rollout.
    """
    _check(source.observations, source.releases)
    if source.observations is None and source.releases is None and source.clone is None:
        raise Failure(
            Trouble.MALFORMED, "there is nothing to do", advice="give --observations, --releases or --from-git"
        )
    if source.observations is not None and source.clone is not None:
        advice = "give either --observations or --from-git"
        raise Failure(Trouble.MALFORMED, "history comes from one place", advice=advice)
    async with opened_stores(settings, clock) as stores:
        store = stores[HistoryStore]
        new_releases = list(read_release_log(source.releases)) if source.releases is not None else []
        await store.add_releases(new_releases)
        logs = await _read_logs(store)
        releases = await store.releases()
        advisories = await CombinedFeeds(stores[FeedsStore]).known_advisories()
        work = _Import(store, logs, ReleaseIndex(releases), advisories, clock)
        for number, row in enumerate(_rows(source, logs, releases), start=1):
            await work.take(row)
            progress(number, None)
        await work.end()
        return LogTally(work.taken, len(new_releases), work.skipped)


@dataclass(slots=True)
class _Log:
    """What is known of one base: its first and last observations with a digest, and where it stands."""

    first: Observation | None = None
    last: Observation | None = None
    standing: BaseStanding | None = None


@dataclass(slots=True)
class _Import:
    """One import under way. What goes before a base's log is kept until its whole history was read."""

    store: HistoryStore
    known: Mapping[Base, _Log]
    releases: ReleaseIndex
    advisories: Mapping[str, Advisory]
    clock: Clock
    taken: int = 0
    skipped: int = 0
    waiting: list[Logged] = field(default_factory=list)
    earlier: dict[Base, list[Logged]] = field(default_factory=dict)
    standings: dict[Base, BaseStanding | None] = field(default_factory=dict)

    async def take(self, row: Observation) -> None:
        log = self.known.get(row.base)
        if log is None or log.first is None or log.last is None or row.at > log.last.at:
            if row.base not in self.standings:
                self.standings[row.base] = log.standing if log is not None else None
            self.waiting.append(self._compared(row))
        elif row.at < log.first.at:
            self.earlier.setdefault(row.base, []).append(self._compared(row))
        else:
            self.skipped += 1
            return
        self.taken += 1
        if len(self.waiting) >= _TOGETHER:
            await self.store.add(self.waiting)
            self.waiting = []

    async def end(self) -> None:
        await self.store.add(self.waiting)
        for base, rows in sorted(self.earlier.items()):
            first = self.known[base].first
            assert first is not None, "only what has a log is put before it"
            joint = self._compared(first)
            await self.store.put_before(base, rows, joint.change)

    def _compared(self, row: Observation) -> Logged:
        """Adds the change from the observation before it."""
        self.standings[row.base], before = follow(self.standings.get(row.base), row)
        if before is None:
            return Logged(row)
        change = assess(before, row, self.releases, self.advisories, self.clock.now())
        return Logged(row, change)


def _rows(source: HistorySource, logs: Mapping[Base, _Log], releases: Collection[Release]) -> Iterator[Observation]:
    """The rows of a log as they stand. A clone tells of MCR; a registry that holds the same tags under the same
    names has shown the same."""
    if source.observations is not None:
        yield from read_observations(source.observations)
    if source.clone is None:
        return
    elsewhere: dict[tuple[str, str], list[Base]] = {}
    for base in logs:
        elsewhere.setdefault((base.repository, base.tag), []).append(base)
    for row in read_history(source.clone, releases=releases):
        mirrors = (base for base in elsewhere.get((row.base.repository, row.base.tag), ()) if base != row.base)
        yield row
        for base in mirrors:
            yield replace(row, base=base)


def _check(observations: Path | None, releases: Path | None) -> None:
    if observations is not None and releases is not None and observations.resolve() == releases.resolve():
        fault = "cannot hold observations and releases at once"
        raise Failure(Trouble.MALFORMED, fault, where=str(observations), advice="give each a file of its own")


async def _read_logs(store: HistoryStore) -> dict[Base, _Log]:
    """Reads the log of each base that is known, as far as it has begun."""
    logs = {base: _Log() for base in await store.bases()}
    async for row in store.observations():
        log = logs.setdefault(row.base, _Log())
        log.first, log.last = log.first or row, row
        log.standing, _ = follow(log.standing, row)
    return logs


@contextmanager
def _open_file(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("w", encoding="utf-8") as out:
            yield out
    except OSError as error:
        fault = f"cannot be written: {error.strerror or error}"
        advice = "check folder, permissions and space"
        raise Failure(Trouble.DENIED, fault, where=str(path), advice=advice) from error


async def read_kept(settings: Settings, clock: Clock) -> KeptHistory:
    """Reads all that the store knows of how bases moved. Raises `Failure` where it knows of nothing."""
    async with opened_stores(settings, clock) as stores:
        rows = [row async for row in stores[HistoryStore].observations()]
        releases = await stores[HistoryStore].releases()
        advisories = await CombinedFeeds(stores[FeedsStore]).known_advisories()
    if not rows:
        raise Failure(Trouble.MISSING, "the store has seen no base yet, so there is nothing to replay", advice=MORE)
    return KeptHistory(sorted(rows, key=lambda row: row.at), releases, advisories)


async def own_durations(settings: Settings, clock: Clock) -> OwnDurations:
    """Reads how long rebuilds took; None where no store can be read: a policy is tried out on other machines, and
    before there is a store."""
    try:
        async with looked_into(store_url(settings)) as database:
            return await RolloutViewsStore(database, this_worker(), clock).durations()
    except Failure:
        return OwnDurations()
