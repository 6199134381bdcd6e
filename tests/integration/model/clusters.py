"""Clusters that run what the fleet of a walk builds, a record of every look at them, and what has to follow.

The record is of whole moments: what ran in each place when a cluster was listed, whatever the bot makes of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import insert

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.publication import DumpMark
from bot.domain.packages.cves.vulnerability import Vulnerability
from bot.domain.packages.package import Distribution
from bot.domain.running.exposure import Asked, ExposedTime, PlaceExposure, PlaceState
from bot.domain.running.runs import RunningSource
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from bot.fleet.running.rows import RunningStore
from bot.fleet.running.tick import tick
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.reconcile.loop import Loop
from bot.store.engine.codec import dump
from bot.store.engine.database import Database
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages
from bot.upstream.osv.dump import DumpReading
from bot.views.running.exposed import ExposureAnswer, Narrowed
from tests.integration.store.filling import Stores
from tests.integration.store.holding import CVE, FIXED, NOBLE, OPENSSL, SOURCE, SSL, WANTED

EVERY, STALE = timedelta(minutes=5), timedelta(hours=2)
CLUSTERS = ("east", "west")
WORKLOADS = ("pinned", "floating", "marked")
PLACES = tuple(RunningPlace("shop", "Deployment", each, "app") for each in WORKLOADS)
KEEP = timedelta(days=730)
_FIRST_BUILD = 10_000
_LAST_ASKED = 4
"""Of how many of the latest looks each answer is compared."""


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of one build in a place."""

    began: datetime
    started: datetime
    restarts: int = 0


Shown = Mapping[RunningPlace, Mapping[str, Pods]]


@dataclass(frozen=True, slots=True)
class ClusterLook:
    """What ran when a cluster was listed, and what of it was told; `waiting` places waited for an image."""

    at: datetime
    ran: Shown
    waiting: frozenset[RunningPlace]
    hidden: frozenset[RunningPlace]

    @property
    def is_whole(self) -> bool:
        return not self.hidden


@dataclass(slots=True)
class PlayedCluster:
    """Tells what runs in it; places that are `hidden` are not told of, and nothing is while it `is_down`."""

    name: str
    own_clock: Clock
    ran: dict[RunningPlace, dict[str, Pods]] = field(default_factory=dict)
    waiting: set[RunningPlace] = field(default_factory=set)
    hidden: frozenset[RunningPlace] = frozenset()
    is_down: bool = False
    told: list[tuple[Snapshot, ClusterLook]] = field(default_factory=list)

    async def snapshot(self) -> Snapshot:
        if self.is_down:
            raise Failure(Trouble.UNREACHABLE, "nobody answers")
        now = self.own_clock.now()
        ran = {place: dict(pods) for place, pods in self.ran.items()}
        snapshot = Snapshot(now, tuple(self._containers()), tuple(each.workload for each in self.hidden))
        self.told.append((snapshot, ClusterLook(now, ran, frozenset(self.waiting), self.hidden)))
        return snapshot

    def _containers(self) -> Iterator[RunningContainer]:
        for place in PLACES:
            if place in self.hidden:
                continue
            if place in self.waiting:
                yield RunningContainer(place, place.workload, None, None, 0, 1)
            for build, pods in self.ran.get(place, {}).items():
                yield RunningContainer(place, place.workload, build, pods.started, pods.restarts, 1)


class _RecordedStore(RunningStore):
    """Notes which looks were taken for news."""

    taken: list[Snapshot]

    async def save_snapshot(self, source: str, snapshot: Snapshot) -> bool:
        is_news = await super().save_snapshot(source, snapshot)
        if is_news:
            self.taken.append(snapshot)
        return is_news


@dataclass(slots=True)
class Clusters:
    """All of them, and what is inside the builds that they run."""

    clock: Clock
    """That of the world."""
    own_clock: Clock
    played: dict[str, PlayedCluster] = field(init=False)
    inside: dict[str, bool | None] = field(default_factory=dict)
    """Whether a build has what the CVE is about; None for one that nobody read."""
    taken: list[Snapshot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.played = {name: PlayedCluster(name, self.own_clock) for name in CLUSTERS}

    # What happens there

    async def roll_out(self, database: Database, cluster: str, place: int, base: int, *, stays: bool) -> None:
        """The place runs what its repository builds on a base; the old pods go, or stay for a while."""
        build = await self._built(database, base * len(PLACES) + place, base)
        here, now = self.played[cluster], self.clock.now()
        before = here.ran.get(PLACES[place], {})
        kept = before if stays else {name: pods for name, pods in before.items() if name == build}
        here.ran[PLACES[place]] = {**kept, build: before.get(build) or Pods(now, now)}
        here.waiting.discard(PLACES[place])

    async def _built(self, database: Database, number: int, base: int) -> str:
        name = f"sha256:{_FIRST_BUILD + number:064x}"
        if name in self.inside:
            return name
        held = (True, False, None)[base % 3]
        self.inside[name] = held
        if held is not None:
            await _keep_inside(database, _FIRST_BUILD + number, name, held, self.clock.now())
        return name

    def restart(self, cluster: str, place: int) -> None:
        here, now = self.played[cluster].ran, self.clock.now()
        pods = here.get(PLACES[place], {})
        here[PLACES[place]] = {
            build: replace(each, started=now, restarts=each.restarts + 1) for build, each in pods.items()
        }

    def remove(self, cluster: str, place: int) -> None:
        self.played[cluster].ran.pop(PLACES[place], None)
        self.played[cluster].waiting.discard(PLACES[place])

    def wait(self, cluster: str, place: int) -> None:
        """A pod there waits for its image."""
        self.played[cluster].waiting.add(PLACES[place])

    def disturb(self, cluster: str, *, is_down: bool, hidden: frozenset[int]) -> None:
        here = self.played[cluster]
        here.is_down, here.hidden = is_down, frozenset(PLACES[each] for each in hidden)

    def heal(self) -> None:
        for name in CLUSTERS:
            self.disturb(name, is_down=False, hidden=frozenset())

    # What the bot does

    async def look(self, stores: Stores, loop: Loop) -> None:
        """One pass of the stage."""
        store = _RecordedStore(*stores.given)
        store.taken = self.taken
        sources = [RunningSource(name, "production", STALE, EVERY) for name in CLUSTERS]
        await tick(store, sources, self.played, KEEP, loop)

    # Law

    def looks(self, source: str) -> list[ClusterLook]:
        """Those that were taken for news, the latest last, without what a clock that was ahead has dated."""
        looks = {id(snapshot): look for snapshot, look in self.played[source].told}
        news: list[ClusterLook] = []
        for snapshot in self.taken:
            if (look := looks.get(id(snapshot))) is not None:
                news = [*(each for each in news if each.at < look.at), look]
        return news

    def put_back(self, source: str) -> set[datetime]:
        """When a clock that had been ahead was right again."""
        looks = {id(snapshot): look.at for snapshot, look in self.played[source].told}
        news = [looks[id(each)] for each in self.taken if id(each) in looks]
        return {after for before, after in pairwise(news) if after < before}

    async def wrong(self, stores: Stores) -> list[str]:
        """Where the answers of now and of the latest looks are against the record."""
        now = await self._ask(stores, self.own_clock.now())
        if not now.is_told:
            return []
        wrong = [line for each in now.places for line in self._wrong_times(now, each)]
        for source in CLUSTERS:
            for look in [each for each in self.looks(source) if each.is_whole][-_LAST_ASKED:]:
                wrong += self._wrong_states(source, look, await self._ask(stores, look.at))
        return wrong

    async def unknown(self, stores: Stores) -> list[str]:
        """Why it is not known what runs now."""
        return list((await self._ask(stores, self.own_clock.now())).unread)

    async def states(self, stores: Stores) -> set[PlaceState]:
        return {each.state for each in (await self._ask(stores, self.own_clock.now())).places}

    async def _ask(self, stores: Stores, at: datetime) -> ExposureAnswer:
        return await stores.exposure.exposure(CVE, Asked(at), Narrowed())

    def _wrong_states(self, source: str, look: ClusterLook, answer: ExposureAnswer) -> Iterator[str]:
        """The state of each place that a whole look showed, asked of that moment."""
        states = {each.place: each.state for each in answer.places if each.source == source}
        is_public = answer.published_at is not None and answer.published_at <= look.at
        for place in PLACES:
            if place in look.waiting or self._is_dated_back(source, place, look):
                continue
            inside = {self.inside[build] for build in look.ran.get(place, {})}
            state = states.get(place)
            if not inside:
                is_right = state in (None, PlaceState.GONE) or place in self.played[source].waiting
            elif True in inside and is_public:
                is_right = state is PlaceState.EXPOSED
            else:
                is_right = state is (PlaceState.NOT_READ if None in inside else PlaceState.NOT_AFFECTED)
            if not is_right:
                yield f"{source} {place.workload} at {look.at}: {inside} ran, and it is told to be {state}"

    def _wrong_times(self, answer: ExposureAnswer, told: PlaceExposure) -> Iterator[str]:
        """The times of a place: what ran in each whole look within and outside them, and when each began."""
        where = f"{told.source} {told.place.workload}"
        looks, published = self.looks(told.source), answer.published_at
        assert published is not None
        for look in looks:
            if look.at < published or look.at > answer.asked.at or not look.is_whole or told.place in look.waiting:
                continue
            if self._is_dated_back(told.source, told.place, look):
                continue
            had_it = self._had_it(look, told.place)
            if had_it != any(_holds(each, look.at) for each in told.exposed):
                yield f"{where} at {look.at}: {'ran it' if had_it else 'ran none of it'}, told are {told.exposed}"
        whole = {look.at for look in looks if look.is_whole} | self.put_back(told.source)
        for each in told.exposed:
            if each.until is not None and each.until not in whole:
                yield f"{where} is told to have it until {each.until}, when nobody looked"
            if each.since > published and not each.is_older:
                yield from self._wrong_beginning(where, told.place, each, looks)

    def _wrong_beginning(
        self, where: str, place: RunningPlace, time: ExposedTime, looks: Sequence[ClusterLook]
    ) -> Iterator[str]:
        showing = [each for each in looks if each.at >= time.since and place not in each.hidden]
        first = next((each for each in showing if self._had_it(each, place)), None)
        if first is None:
            yield f"{where} is told to have it since {time.since}, and was never seen with it"
            return
        absent = [each.at for each in looks if each.is_whole and each.at < first.at]
        began = min(pods.began for build, pods in first.ran[place].items() if self.inside[build])
        expected = max([min(began, first.at), *absent])
        if time.since != expected:
            yield f"{where} is told to have it since {time.since}, not {expected}"

    def _is_dated_back(self, source: str, place: RunningPlace, look: ClusterLook) -> bool:
        """Whether a node whose clock is behind says of a build that came later that it ran there by then."""
        return any(
            pods.began <= look.at and each.at > look.at and build not in look.ran.get(place, {})
            for _, each in self.played[source].told
            for build, pods in each.ran.get(place, {}).items()
        )

    def _had_it(self, look: ClusterLook, place: RunningPlace) -> bool:
        return any(self.inside[build] for build in look.ran.get(place, {}))


def _holds(time: ExposedTime, at: datetime) -> bool:
    return time.since <= at and (time.until is None or at < time.until)


async def _keep_inside(database: Database, number: int, name: str, is_affected: bool, now: datetime) -> None:
    """What a build holds, as if its layers were read."""
    row = {"id": number, "digest": name, "platform": "linux/amd64", "seen_at": now, "read_at": now, "due_at": now}
    row |= {"distribution": dump(NOBLE, Distribution), "problems": [], "is_complete": True}
    async with database.transaction() as connection:
        await connection.execute(insert(inventories).values(**row))
        held = {"inventory_id": number, "package_id": 1 if is_affected else 2, "since": now}
        await connection.execute(insert(inventory_packages).values(**held))


async def keep_packages(database: Database) -> None:
    """The affected package, and the one with the fix."""
    async with database.transaction() as connection:
        for number, package in enumerate((SSL, FIXED), 1):
            await connection.execute(insert(packages).values(id=number, key=str(number), **asdict(package)))


async def publish_cve(stores: Stores) -> None:
    """Ubuntu tells of it from now on."""
    await stores.vulnerabilities.follow_dumps([SOURCE])
    if not await stores.taken(stores.vulnerabilities.dumps):
        return
    record = Vulnerability(f"UBUNTU-{CVE}", (CVE,), "overflow", Severity.HIGH, "Ubuntu", affected=(OPENSSL,))
    kept = KeptDump(SOURCE, DumpMark("1"), WANTED, DumpReading((record,)))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + timedelta(days=900))
