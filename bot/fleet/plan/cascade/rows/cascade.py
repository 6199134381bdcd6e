"""Own bases and who stands on them: what `plan.cascade` reads and writes, with the incidents of these bases."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

from sqlalchemy import and_, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change, Move
from bot.domain.bases.incident import Incident
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import AWAITING, RebuildState
from bot.fleet.plan.cascade.decisions import Cascade, Unseen
from bot.fleet.plan.cascade.graph import Cycle, Image
from bot.fleet.plan.cascade.rows.last_builds import last_builds
from bot.fleet.plan.cascade.rows.links import bases_below, keep_links, links_changed, links_of_fleet
from bot.fleet.plan.cascade.rows.members import (
    bases_of_producers,
    beginnings_of,
    everything_is_planned,
    gated_among,
    look_soon,
    mended_among,
    open_rebuilds,
    progress_of,
    with_together,
)
from bot.fleet.plan.cascade.tick import CascadeInput, Decided
from bot.store.engine.codec import load, readable
from bot.store.engine.counters import RELEASES, counter, raise_counter
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, lock
from bot.store.rows.bases.bases import has_name_among
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.mirrors import behind_of_homes
from bot.store.rows.bases.observations import latest_observations, loaded
from bot.store.rows.bases.tables import base_of, bases, changes, incidents, observations
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.rebuilds import after_transitions, keep_transitions, transition_row
from bot.store.rows.rollouts.tables import rebuilds, transitions

_CONCERNS_FOR = timedelta(days=120)
_MADE_BEFORE = "the build that made its base made this too: its layers stand on it"
_IS_HELD = and_(rebuilds.c.state.in_(AWAITING), rebuilds.c.released_at.is_(None), rebuilds.c.waits_for.is_not(None))
_NEWEST = (transitions.c.id, usages.c.id, images.c.id, observations.c.id)
_TOLD_OF_IMAGES = (func.count(images.c.sourced_from), func.count().filter(images.c.weakness != ""))
_MARK = select(
    *(select(func.max(column)).scalar_subquery() for column in _NEWEST),
    *(select(number).select_from(images).scalar_subquery() for number in _TOLD_OF_IMAGES),
)
BLOCKS = "blocks:"
CYCLE = "cycle:"
"""What the subjects of incidents begin with."""


class CascadeStore(Store):
    """`bot.fleet.plan.cascade.tick.CascadeStore` on the database."""

    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        super().__init__(database, worker, clock)
        self._mark: tuple[Any, ...] | None = None
        self._has_blocked = False
        """Whether somebody stood on an image whose rebuild failed: that it is mended, no mark tells."""

    async def own_among(self, candidates: Collection[Base]) -> frozenset[Base]:
        """Returns those of these bases that repositories of the fleet produce."""
        own_names: set[tuple[str, str]] = set()
        async with self._database.reading() as connection:
            for part in chunks(sorted({(base.registry, base.repository) for base in candidates})):
                rows = await connection.execute(
                    select(images.c.registry, images.c.repository).where(
                        tuple_(images.c.registry, images.c.repository).in_(part)
                    )
                )
                own_names |= {(row.registry, row.repository) for row in rows}
        return frozenset(base for base in candidates if (base.registry, base.repository) in own_names)

    async def changes_below(self, base: Base) -> dict[Base, list[Move]]:
        """The changes, oldest first, of the bases that an own base is built upon, but for itself and what closes a
        cycle. Where nothing tells the images of a producer apart, those of all bases that it follows."""
        producers = select(images.c.repository_id).where(
            images.c.registry == base.registry, images.c.repository == base.repository
        )
        bases_below_query = select(usages.c.base_id).where(usages.c.repository_id.in_(producers))
        query = (
            select(changes.c.id, changes.c.change)
            .where(changes.c.base_id.in_(bases_below_query), changes.c.at > self._clock.now() - _CONCERNS_FOR)
            .order_by(changes.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            upon = await bases_below(connection, base) if rows else None
        moves_by_base: dict[Base, list[Move]] = {}
        for move in readable(
            rows, lambda row: Move(row.id, load(row.change, Change)), lambda row: f"change {row.id}"
        ):
            if move.change.base.name != base.name and (upon is None or move.change.base in upon):
                moves_by_base.setdefault(move.change.base, []).append(move)
        return moves_by_base

    async def shown_by(self, own_bases: Collection[Base]) -> dict[Base, Observation]:
        """The last observation of each of these bases, as far as there is one."""
        async with self._database.reading() as connection:
            ids: dict[int, Base] = {}
            for part in chunks(sorted(own_bases)):
                rows = await connection.execute(select(bases).where(has_name_among(part)))
                ids |= {row.id: base_of(row) for row in rows}
            latest = await latest_observations(connection, sorted(ids), 1)
        return {base: history[-1] for base, history in loaded(ids, latest).items()}

    async def fleet(self) -> CascadeInput | None:
        async with self._database.reading() as connection:
            mark = await _mark_of(connection)
            held_rebuild = await connection.scalar(select(rebuilds.c.id).where(_IS_HELD).limit(1))
            if held_rebuild is None and not self._has_blocked and mark == self._mark:
                return None
            releases = await counter(connection, RELEASES)
            fleet_links = await links_of_fleet(connection)
            links, parts = fleet_links.links, fleet_links.parts
            concerned_homes = {image.repository for link in links for image in (link.child, link.parent)}
            parents = {link.parent for link in links}
            rows = await open_rebuilds(connection, concerned_homes)
            builds, failed_images = await last_builds(connection, parents, parts)
            bases_of, digests, moved = await bases_of_producers(connection, parents, parts)
            is_settled = await everything_is_planned(connection, self._clock.now())
            waiting_homes = {row.repository_id for row in rows if row.waits_for is not None}
            behind = await behind_of_homes(connection, concerned_homes | waiting_homes)
            gated = await gated_among(connection, parents)
            mended_images = await mended_among(connection, failed_images, bases_of, moved)
            progress, dues = progress_of(rows, failed_images.keys() - mended_images, parts)
            dues = await with_together(connection, dues, rows, parts, moved, builds)
        # What is held and has no parent any more, since a file or a claim changed, is let go like the others.
        held_ones = frozenset(row.id for row in rows if row.id in dues and row.waits_for is not None)
        self._mark = mark
        return CascadeInput(
            *(releases, links, fleet_links.names, progress, dues, held_ones, builds, bases_of, digests, moved),
            *(is_settled, behind, gated, beginnings_of(rows, parts, self._clock.now())),
        )

    async def save(self, decision: Decided) -> int:
        now, cascade = self._clock.now(), decision.cascade
        self._has_blocked = bool(cascade.blocks)
        dues = decision.fleet.dues
        distances = decision.graph.distances()
        far = {
            number: min((distances.get(image, 0) for image in due.images), default=0)
            for number, due in dues.items()
        }
        async with self._database.transaction() as connection:
            rows = (
                await connection.execute(
                    select(
                        *(rebuilds.c.id, rebuilds.c.rollout_id, rebuilds.c.repository_id, rebuilds.c.reason),
                        *(rebuilds.c.waits_for, rebuilds.c.waits_until, rebuilds.c.distance, rebuilds.c.state),
                    ).where(_IS_HELD)
                )
            ).all()
            candidates = (_news(row, cascade, far.get(row.id, 0), decision.fleet) for row in rows)
            updates = [each for each in candidates if each is not None]
            incident_news = await incidents_of(connection, decision, now)
            if updates or await links_changed(connection, decision):
                is_latest = await raise_counter(connection, RELEASES) == decision.fleet.releases + 1
                if updates and not is_latest:
                    raise LeaseLost("another worker has let rebuilds begin meanwhile")
            unseen = [number for number, wait in cascade.waits.items() if isinstance(wait, Unseen)]
            await look_soon(connection, [dues[number] for number in unseen if number in dues], now)
            await keep_links(connection, decision)
            await lock(connection, rebuilds, [number for number, _ in updates])
            released_ids: list[int] = []
            for number, values in updates:
                statement = update(rebuilds).where(rebuilds.c.id == number, _IS_HELD).values(**values)
                # Whoever has ended it since it was read has the last word.
                if (await connection.execute(statement)).rowcount and values["waits_for"] is None:
                    released_ids.append(number)
            rollouts_of = {row.id: row.rollout_id for row in rows}
            await self._end(
                connection, [row for row in rows if row.id in cascade.made_before and row.id in released_ids]
            )
            if released_ids:
                await after_transitions(connection, {rollouts_of[number] for number in released_ids}, now)
            if incident_news is not None:
                await tell_incidents(connection, *incident_news, now)
        return len(released_ids)

    async def _end(self, connection: AsyncConnection, rows: Sequence[Any]) -> None:
        """Ends rebuilds of which an earlier build has made all."""
        now = self._clock.now()
        for row in rows:
            values = {"state": RebuildState.SUCCEEDED.value, "reason": _MADE_BEFORE, "ended_at": now}
            await connection.execute(update(rebuilds).where(rebuilds.c.id == row.id).values(**values))
        if rows:
            await keep_transitions(
                connection,
                [
                    transition_row(row.id, now, RebuildState(row.state), RebuildState.SUCCEEDED, _MADE_BEFORE)
                    for row in rows
                ],
            )


def _news(row: Any, cascade: Cascade, distance: int, fleet: CascadeInput) -> tuple[int, dict[str, Any]] | None:
    """What changes in a held rebuild; None where nothing does."""
    wait = cascade.waits.get(row.id)
    if wait is not None:
        if (row.waits_for, row.waits_until, row.distance) == (wait.reason, wait.until, distance):
            return None
        return row.id, {"waits_for": wait.reason, "waits_until": wait.until, "distance": distance}
    if row.id in cascade.made_before and fleet.is_settled:
        return row.id, {"waits_for": None, "waits_until": None, "distance": distance}
    passed = cascade.frontier.get(row.id)
    if passed is None or not fleet.is_settled:
        return None
    reason = f"{row.reason}; {passed.remark}" if passed.remark else row.reason
    return row.id, {
        "waits_for": None,
        "waits_until": None,
        "distance": distance,
        "went_ahead": passed.is_ahead,
        "reason": reason,
    }


async def _mark_of(connection: AsyncConnection) -> tuple[Any, ...]:
    """Changes with whatever a decision hangs on while nobody waits: links, and rebuilds that fail or are mended."""
    return tuple((await connection.execute(_MARK)).one())


async def incidents_of(
    connection: AsyncConnection, decision: Decided, now: datetime
) -> tuple[list[Incident], set[str]] | None:
    """Those that begin and the subjects of those that are over; None where nothing changes."""
    names = decision.fleet.names
    by_subject = {
        incident.subject: incident
        for incident in (
            *(
                _blocking_incident(names.get(number, "?"), count, now)
                for number, count in decision.cascade.blocks.items()
            ),
            *(_cycle_incident(cycle, names, now) for cycle in decision.graph.cycles),
        )
    }
    rows = await connection.execute(
        select(incidents.c.subject).where(
            incidents.c.cleared_at.is_(None),
            or_(incidents.c.subject.startswith(BLOCKS), incidents.c.subject.startswith(CYCLE)),
        )
    )
    before = set(rows.scalars())
    new_incidents = [each for subject, each in sorted(by_subject.items()) if subject not in before]
    ended_subjects = before - by_subject.keys()
    return (new_incidents, ended_subjects) if new_incidents or ended_subjects else None


def _blocking_incident(name: str, count: int, now: datetime) -> Incident:
    blocked_text = "1 repository" if count == 1 else f"{count:,} repositories"
    advice = f"mend its build; `freshness-bot explain {quote(name)}` shows what failed"
    return Incident(
        f"{BLOCKS}{name}"[:255], now, f"its rebuild failed, which blocks {blocked_text} that stand on it; {advice}"
    )


def _cycle_incident(cycle: Cycle, names: Mapping[int, str], now: datetime) -> Incident:
    child = names.get(cycle.cut.child.repository, "?")
    path = " → ".join(_name_of(image, names) for image in cycle.path)
    advice = (
        f"what {child} takes from {cycle.cut.base.short} sets off no rebuild; let one of them build on another base"
    )
    subject = f"{CYCLE}{_name_of(cycle.cut.child, names)} {cycle.cut.base}"
    return Incident(subject[:255], now, f"images stand on each other: {path}; {advice}")


def _name_of(image: Image, names: Mapping[int, str]) -> str:
    """`contoso/golden`, and of a repository that builds several images `contoso/golden (ghcr.io/contoso/sdk)`."""
    repository = names.get(image.repository, "?")
    return f"{repository} ({image.name})" if image.name else repository
