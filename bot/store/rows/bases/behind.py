"""What is behind, as rows tell: pins that their bases have left, and builds that are older than what floats."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change, Move
from bot.domain.bases.dotnet import goes_back
from bot.domain.bases.followed_base import pinned_to
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind, named_version
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.engine.codec import load, load_text, readable
from bot.store.engine.writing import chunks
from bot.store.rows.bases.pinned_digests import Place, place_of, read_pinned
from bot.store.rows.bases.tables import base_of, bases, changes, observations
from bot.store.rows.bases.told_ways import with_told_ways
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import MEMBER, fleet_repository_of, sdk_pins
from bot.store.rows.rollouts.tables import rebuilds

DIFFERS = or_(
    and_(usages.c.digest.is_not(None), usages.c.digest != bases.c.digest),
    and_(usages.c.digest.is_(None), usages.c.version.is_not(None), usages.c.version != bases.c.version),
)
"""A usage that pins something else than its base shows now: older, or newer; see `pins_not_left`."""
PinKey = tuple[int, str, str]
FLOATS = and_(usages.c.digest.is_(None), usages.c.version.is_(None))


@dataclass(slots=True)
class _Log:
    """What a base has shown, oldest first, and its changes by the observation that they led to; `pinned` are the
    images of digests that it was not seen to show."""

    sights: list[tuple[int, Observation]] = field(default_factory=list)
    moves: list[tuple[int, Move]] = field(default_factory=list)
    pinned: Mapping[Place, Observation] = field(default_factory=dict)

    def sight_of(self, digest: str) -> Observation | None:
        return next((sight for _, sight in reversed(self.sights) if sight.digest == digest), None)

    def version_of(self, usage: Usage) -> str | None:
        """The version that a usage without a digest pins."""
        return pinned_to(usage.reference, self.sights[0][1].base) if self.sights else None

    def place_of(self, usage: Usage) -> tuple[int, Observation] | None:
        """Finds the first time that the base showed what is pinned: as an index, an image of one, or a version."""
        digest, version = usage.reference.digest, self.version_of(usage)
        for place, sight in self.sights:
            if digest is None and sight.version == version:
                return place, sight
            if digest is not None and digest in (sight.digest, *(image.digest for image in sight.platforms)):
                return place, sight
        return None

    def stood_on(self, usage: Usage, base: Base) -> Observation | str | None:
        """What a usage pins: as the base showed it, else as its digest was read, else the version that it names."""
        if (place := self.place_of(usage)) is not None:
            return place[1]
        digest = usage.reference.digest
        image = None if digest is None else self.pinned.get(place_of(base, digest))
        return image or named_version(usage.reference, base)

    def has_gone_back(self, moment: datetime, shown_now: Observation) -> bool:
        """Whether what the base shows is older than what it showed at that time."""
        before = [sight.version for _, sight in self.sights if sight.at <= moment]
        return bool(before) and goes_back(before[-1], shown_now.version)

    def since(self, place: int) -> list[Move]:
        return [move for observation, move in self.moves if observation > place]

    def published_at(self, shown_now: Observation) -> datetime | None:
        """Since when the base shows it: as it was seen to come, else when the image says that it was made."""
        published_at = None
        for number, (_, sight) in enumerate(reversed(self.sights)):
            if sight.digest != shown_now.digest:
                return published_at
            published_at = sight.at if number + 1 < len(self.sights) else shown_now.made_at
        return published_at


async def read_behind(
    connection: AsyncConnection, now: datetime, only: Collection[str] | None = None
) -> FleetBehind:
    """Reads the whole fleet, or these repositories alone; what asks to be left alone is only counted.

    Of what was left behind before the bot came, what is pinned tells its version, and releases what that lacks.
    """
    homes = {row["id"]: row for row in await _read_homes(connection) if only is None or row["name"] in only}
    query = select(
        *(usages.c.id, usages.c.repository_id, usages.c.base_id),
        *(cast(usages.c.usage, Text).label("usage"), DIFFERS.label("differs")),
    )
    rows = await connection.execute(
        query.join(bases, bases.c.id == usages.c.base_id)
        .where(bases.c.digest.is_not(None), or_(DIFFERS, FLOATS))
        .order_by(usages.c.id)
    )
    usage_of_text: dict[str, Usage] = {}
    all_candidates = readable(rows, lambda row: _Candidate.of(row, usage_of_text), lambda row: f"usage {row.id}")
    candidates = [each for each in all_candidates if each.home in homes]
    built = await _read_last_builds(connection)
    concerned_bases = {each.base for each in candidates if each.differs or each.home in built}
    logs, sights = await _read_logs(connection, concerned_bases)
    pins = await sdk_pins(connection, homes)
    members = dict(
        readable(homes.values(), lambda row: (row["id"], fleet_repository_of(row, pins)), lambda row: row["name"])
    )
    enabled = {number for number, member in members.items() if member.config.enabled}
    behind_usages = [
        behind
        for candidate in candidates
        if candidate.home in enabled and candidate.base in sights
        if (
            behind := _behind_usage_of(
                candidate, members[candidate.home], sights[candidate.base], logs[candidate.base], built
            )
        )
        is not None
    ]
    untold = {each.home for each in candidates if each.home in enabled and not each.differs} - built.keys()
    told_usages = await with_told_ways(connection, behind_usages, now)
    return FleetBehind(told_usages, len(enabled), len(members) - len(enabled), len(untold))


@dataclass(frozen=True, slots=True)
class _Candidate:
    home: int
    base: int
    usage: Usage
    differs: bool

    @classmethod
    def of(cls, row: Any, usage_of_text: dict[str, Usage]) -> "_Candidate":
        """Equal texts, of which a fleet that was made from templates is full, become one value."""
        usage = usage_of_text.get(row.usage)
        if usage is None:
            usage = usage_of_text[row.usage] = load_text(row.usage, Usage)
        return cls(row.repository_id, row.base_id, usage, bool(row.differs))


def _behind_usage_of(
    candidate: _Candidate,
    member: FleetRepository,
    now: tuple[Base, Observation],
    log: _Log,
    built: Mapping[int, datetime],
) -> BehindUsage | None:
    base, shown = now
    if candidate.differs:
        if not _is_left(candidate.usage, base, shown, log):
            return None
        place, stood_on = log.place_of(candidate.usage), log.stood_on(candidate.usage, base)
        if place is None:
            made_at = stood_on.made_at if isinstance(stood_on, Observation) else None
            return BehindUsage(member, candidate.usage, base, shown, made_at, stood_on=stood_on)
        moves = log.since(place[0])
        news = tuple(move for move in moves if move.change.cause.needs_rebuild)
        if moves and not news:
            return None
        return BehindUsage(member, candidate.usage, base, shown, place[1].at, news, stood_on=stood_on)
    built_at, published_at = built.get(candidate.home), log.published_at(shown)
    if built_at is None or published_at is None or built_at >= published_at or log.has_gone_back(built_at, shown):
        return None
    news = tuple(move for _, move in log.moves if move.change.at > built_at and move.change.cause.needs_rebuild)
    return BehindUsage(member, candidate.usage, base, shown, built_at, news)


def _is_left(usage: Usage, base: Base, shown: Observation, log: _Log) -> bool:
    """Whether its base has left what it pins. It has not where that is one platform's image of what the base shows,
    or newer than that: the base went back, or a mirror has lost some."""
    if usage.reference.digest in {image.digest for image in shown.platforms}:
        return False
    stood_on = log.stood_on(usage, base)
    pinned_version = stood_on.version if isinstance(stood_on, Observation) else stood_on
    return not goes_back(pinned_version, shown.version)


def pin_key() -> ColumnElement[Any]:
    """The columns by which `pins_not_left` tells a usage's pin."""
    return tuple_(usages.c.base_id, func.coalesce(usages.c.digest, ""), func.coalesce(usages.c.version, ""))


async def pins_not_left(connection: AsyncConnection) -> list[PinKey]:
    """Finds the pins that differ from what their base shows, and are not behind it: as base, digest and version.

    Where what is pinned was seen under its tag, the version that was seen then decides; for the others alone the
    logs of their bases are read.
    """
    pins = (
        select(usages.c.base_id, usages.c.digest, usages.c.version, bases.c.version.label("shown"))
        .join(bases, bases.c.id == usages.c.base_id)
        .where(DIFFERS, bases.c.digest.is_not(None))
        .distinct()
        .subquery()
    )
    is_same = and_(observations.c.base_id == pins.c.base_id, observations.c.digest == pins.c.digest)
    held_version = observations.c.observation["version"].as_string().label("held")
    rows = await connection.execute(
        select(pins, observations.c.id.label("seen"), held_version).outerjoin(observations, is_same)
    )
    stays: set[PinKey] = set()
    unseen: set[PinKey] = set()
    for row in rows:
        key = (row.base_id, row.digest or "", row.version or "")
        if row.digest is not None and row.seen is None:
            unseen.add(key)
        elif goes_back(row.version if row.digest is None else row.held, row.shown):
            stays.add(key)
    return sorted(stays | await _find_pins_not_left(connection, unseen))


async def _find_pins_not_left(connection: AsyncConnection, pins: Collection[PinKey]) -> set[PinKey]:
    stays: set[PinKey] = set()
    if not pins:
        return stays
    logs, sights = await _read_logs(connection, {base for base, _, _ in pins})
    for chunk in chunks(sorted(pins)):
        rows = await connection.execute(
            select(
                *(usages.c.id, usages.c.base_id, usages.c.digest, usages.c.version),
                cast(usages.c.usage, Text).label("usage"),
            ).where(
                usages.c.base_id.in_({base for base, _, _ in chunk}),
                usages.c.digest.in_({digest for _, digest, _ in chunk}),
            )
        )
        for key, usage in readable(
            rows,
            lambda row: ((row.base_id, row.digest, row.version or ""), load_text(row.usage, Usage)),
            lambda row: f"usage {row.id}",
        ):
            if key in pins and key[0] in sights and not _is_left(usage, *sights[key[0]], logs[key[0]]):
                stays.add(key)
    return stays


async def _read_homes(connection: AsyncConnection) -> Sequence[Mapping[Any, Any]]:
    """The listed repositories that stand on a watched base."""
    following = select(usages.c.repository_id).where(usages.c.base_id.is_not(None))
    rows = await connection.execute(
        select(*MEMBER).where(repositories.c.listed.is_(True), repositories.c.id.in_(following))
    )
    return rows.mappings().all()


async def _read_last_builds(connection: AsyncConnection) -> dict[int, datetime]:
    """When each repository was last built, where the last success of any of its workflows is known.

    A rebuild whose image was proved counts from when it was planned, which is before it was built.
    """
    newest = func.max(workflow_builds.c.last_success).label("at")
    rows = await connection.execute(
        select(workflow_builds.c.repository_id, newest)
        .where(workflow_builds.c.last_success.is_not(None))
        .group_by(workflow_builds.c.repository_id)
    )
    built = {row.repository_id: row.at for row in rows}
    newest_plan = func.max(rebuilds.c.planned_at).label("at")
    proved_rows = await connection.execute(
        select(rebuilds.c.repository_id, newest_plan)
        .where(rebuilds.c.state == RebuildState.SUCCEEDED.value)
        .group_by(rebuilds.c.repository_id)
    )
    return built | {
        row.repository_id: max(row.at, built[row.repository_id])
        for row in proved_rows
        if row.repository_id in built
    }


async def _read_logs(
    connection: AsyncConnection, numbers: set[int]
) -> tuple[dict[int, _Log], dict[int, tuple[Base, Observation]]]:
    """The logs of bases, and what each shows now."""
    logs: dict[int, _Log] = {number: _Log() for number in numbers}
    sights: dict[int, tuple[Base, Observation]] = {}
    pinned = await read_pinned(connection) if numbers else {}
    for chunk in chunks(sorted(numbers)):
        rows_of_sights = await connection.execute(
            select(observations.c.id, observations.c.base_id, observations.c.observation)
            .where(observations.c.base_id.in_(chunk), observations.c.digest.is_not(None))
            .order_by(observations.c.id)
        )
        for number, home, observation in readable(
            rows_of_sights,
            lambda row: (row.id, row.base_id, load(row.observation, Observation)),
            lambda row: f"observation {row.id}",
        ):
            logs[home].sights.append((number, observation))
        change_rows = await connection.execute(
            select(changes.c.id, changes.c.base_id, changes.c.to_observation, changes.c.change)
            .where(changes.c.base_id.in_(chunk))
            .order_by(changes.c.to_observation)
        )
        for home, place, move in readable(
            change_rows,
            lambda row: (row.base_id, row.to_observation, Move(row.id, load(row.change, Change))),
            lambda row: f"change {row.id}",
        ):
            logs[home].moves.append((place, move))
        rows = await connection.execute(select(bases).where(bases.c.id.in_(chunk)))
        for row in rows:
            logs[row.id].pinned = pinned
            now = logs[row.id].sight_of(row.digest)
            if now is not None:
                sights[row.id] = base_of(row), now
    return logs, sights
