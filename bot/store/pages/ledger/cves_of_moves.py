"""Which CVEs moves of bases fixed and which are still open: for many moves in one read, each image read once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.domain.evidence import Strength
from bot.domain.packages.changes import PlatformChanges
from bot.domain.packages.cves.detected import GatePolicy, Rating
from bot.domain.packages.cves.moves import CvesMoved, KnownCves, StillOpen, WhyOpen, cves_moved, still_open_in_all
from bot.domain.packages.cves.vulnerability import release_of
from bot.domain.packages.gate import MAX_AGE
from bot.images.vulnerabilities import DOTNET, KeptData, ToldPlatform, Yardstick, vulnerabilities_of
from bot.store.engine.counters import EXPOSURES, FEEDS
from bot.store.engine.writing import chunks
from bot.store.pages.ledger.told_platforms import inventory_rows, read_held, told_platform
from bot.store.rows.bases.tables import bases, changes
from bot.store.rows.inventories.inventories import package_changes
from bot.store.rows.inventories.kept_data import kept_data
from bot.store.rows.tables import counters
from bot.store.stores import Stores

_MOST_KEPT = 200
"""Images whose CVEs are kept at hand: every pull request of a rollout asks for the same few."""
_EVERY_SEVERITY = GatePolicy(frozenset(Rating), ignore_unfixed=False)

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class _Step:
    """How one change moved one platform, by the rows of inventories."""

    change: int
    platform: str
    before: int
    after: int
    not_rebuilt: WhyOpen


@dataclass(slots=True)
class _AtHand:
    """What was told of images, by the rows of their inventories, as long as packages and CVE data stay the same."""

    mark: Any = None
    told: dict[int, ToldPlatform] = field(default_factory=dict)


class CvesOfMoves:
    """Reads only. `max_age` is how old CVE data may be to tell what is open; `platforms` are those whose packages
    are read, None where that does not matter: of others nothing is told."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        _, _, clock = stores.given
        return cls(clock, stores.options.cve_data_age, stores.options.platforms)

    def __init__(
        self, clock: Clock, max_age: timedelta = MAX_AGE, platforms: Collection[str] | None = None
    ) -> None:
        self._clock = clock
        self._max_age = max_age
        self._platforms = platforms
        self._at_hand = _AtHand()

    async def beside(
        self, connection: AsyncConnection, moves: Mapping[int, Sequence[PlatformChanges]]
    ) -> dict[int, tuple[PlatformChanges, ...]]:
        """The same changes of packages, by the ids of changes, each platform with its CVEs."""
        moved_cves = await self.over(connection, {number: (number,) for number in moves})
        return {
            number: tuple(replace(each, cves=moved_cves[number].get(each.platform)) for each in platforms)
            for number, platforms in moves.items()
        }

    async def over(
        self, connection: AsyncConnection, moves: Mapping[K, Collection[int]]
    ) -> dict[K, dict[str, CvesMoved]]:
        """What each of these made of several changes has moved in all, by platform: from before the first of them
        to after the last."""
        spans = await self._spans(connection, moves)
        inventory_platforms: dict[int, str] = {}
        for platform, (first, last) in (each for mine in spans.values() for each in mine.items()):
            inventory_platforms |= {first.before: platform, last.after: platform}
        told_platforms = await self._read_platforms(connection, inventory_platforms) if inventory_platforms else {}
        data = await kept_data(connection) if inventory_platforms else KeptData({})
        return {
            key: {
                platform: cves_moved(
                    self._list_known_cves(told_platforms.get(first.before), data, _GONE_BEFORE),
                    self._list_known_cves(told_platforms.get(last.after), data, _GONE),
                    last.not_rebuilt,
                )
                for platform, (first, last) in mine.items()
            }
            for key, mine in spans.items()
        }

    async def still_open(self, connection: AsyncConnection, moves: Mapping[K, Collection[int]]) -> StillOpen | None:
        """What all of these bases have together after their changes; None where nobody reads their packages, or CVE
        data of any publisher but Microsoft."""
        data = await kept_data(connection) if moves else KeptData({})
        if not data.checked_at.keys() - {DOTNET}:
            return None
        spans = await self._spans(connection, moves)
        ends = {(last.after, last.not_rebuilt): last for mine in spans.values() for _, last in mine.values()}
        if not ends:
            return None
        told_platforms = await self._read_platforms(
            connection, {last.after: last.platform for last in ends.values()}
        )
        return still_open_in_all(
            cves_moved(
                KnownCves(), self._list_known_cves(told_platforms.get(last.after), data, _GONE), last.not_rebuilt
            )
            for last in ends.values()
        )

    async def _spans(
        self, connection: AsyncConnection, moves: Mapping[K, Collection[int]]
    ) -> dict[K, dict[str, tuple[_Step, _Step]]]:
        """Reads the first and the last step of each platform."""
        spans: dict[K, dict[str, tuple[_Step, _Step]]] = {key: {} for key in moves}
        of_change: dict[int, list[K]] = {}
        for key, several in moves.items():
            for change in several:
                of_change.setdefault(change, []).append(key)
        for step in await _steps(connection, of_change.keys()):
            if self._platforms is None or step.platform in self._platforms:
                for key in of_change[step.change]:
                    first, _ = spans[key].get(step.platform, (step, step))
                    spans[key][step.platform] = (first, step)
        return spans

    async def _read_platforms(
        self, connection: AsyncConnection, inventory_platforms: Mapping[int, str]
    ) -> dict[int, ToldPlatform]:
        """Reads what is told of these inventories, by their ids, each with its platform."""
        mark = await _mark(connection)
        if mark != self._at_hand.mark:
            self._at_hand = _AtHand(mark)
        at_hand = self._at_hand
        kept_platforms = {number: at_hand.told[number] for number in inventory_platforms if number in at_hand.told}
        rows = await inventory_rows(connection, inventory_platforms.keys() - kept_platforms.keys())
        if not rows:
            return kept_platforms
        held_packages = await read_held(connection, rows)
        read = {
            number: told_platform(inventory_platforms[number], row, held_packages) for number, row in rows.items()
        }
        told_platforms = kept_platforms | read
        latest = {number: each for number, each in told_platforms.items() if _is_settled(each)}
        at_hand.told = dict(list({**at_hand.told, **latest}.items())[-_MOST_KEPT:])
        return told_platforms

    def _list_known_cves(self, facts: ToldPlatform | None, data: KeptData, gone: str) -> KnownCves:
        if facts is None:
            return KnownCves(gaps=(gone,))
        by = Yardstick((facts.platform,), _EVERY_SEVERITY, self._max_age, self._clock.now())
        of_it = vulnerabilities_of([facts], data, by)
        is_whole = (
            facts.packages is not None
            and not facts.problems
            and facts.by_sbom in (None, Strength.PROVED)
            and not of_it.is_pending
        )
        doubtful = frozenset(each.id for each in facts.uncertain)
        return KnownCves(of_it.vulnerabilities, doubtful, of_it.gaps, is_whole, release_of(facts.distribution))


def _is_settled(facts: ToldPlatform) -> bool:
    """Whether its layers tell all that it holds; else an SBOM may tell more, or be proved, at any time."""
    return facts.packages is not None and facts.by_sbom is None and not facts.problems


_GONE = "what it holds is not kept any more"
_GONE_BEFORE = "what the image before it held is not kept any more"


async def _steps(connection: AsyncConnection, change_ids: Collection[int]) -> list[_Step]:
    """Reads the steps of these changes, in the order in which the bases moved."""
    numbered_steps: list[tuple[int, _Step]] = []
    for ids in chunks(sorted(change_ids)):
        rows = await connection.execute(
            select(
                *(changes.c.id, changes.c.to_observation, package_changes.c.platform),
                *(package_changes.c.before_id, package_changes.c.after_id),
                *(bases.c.observation_id, bases.c.upstream_id),
            )
            .join(changes, changes.c.to_observation == package_changes.c.observation_id)
            .join(bases, bases.c.id == changes.c.base_id)
            .where(changes.c.id.in_(ids))
        )
        for row in rows:
            is_shown = row.observation_id == row.to_observation and row.upstream_id is None
            why = WhyOpen.NOT_REBUILT if is_shown else WhyOpen.NOT_IN_IT
            numbered_steps.append(
                (row.to_observation, _Step(row.id, row.platform, row.before_id, row.after_id, why))
            )
    return [step for _, step in sorted(numbered_steps, key=lambda each: (each[0], each[1].platform))]


async def _mark(connection: AsyncConnection) -> tuple[tuple[str, int], ...]:
    """Reads the counters that rise whenever packages or CVE data change."""
    rows = await connection.execute(
        select(counters.c.name, counters.c.value)
        .where(counters.c.name.in_([EXPOSURES, FEEDS]))
        .order_by(counters.c.name)
    )
    return tuple((row.name, row.value) for row in rows)
