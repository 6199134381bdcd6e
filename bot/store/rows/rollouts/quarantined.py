"""What a quarantine keeps from beginning, and what keeps the quarantine: both by the digest.

A build on a floating tag takes whatever the base shows. So while the base shows the quarantined digest nothing is
begun on it at all; once it shows another, only what still carries that digest is kept, and what is planned for the
next one goes on.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import FromClause, Text, cast, false, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base
from bot.domain.rollouts.quarantine import kept_in_words
from bot.domain.rollouts.rebuild import AWAITING, Target
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.rollouts.rebuilds import MERGES_STILL, read_targets
from bot.store.rows.rollouts.rollouts import OPEN
from bot.store.rows.rollouts.tables import quarantines, rebuilds

Carried = tuple[Base, str]
"""A base with a digest of it that a rebuild brings."""
SHOWN = (bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest)


KEPT_BY = (
    *(quarantines.c.who.label("kept_by"), quarantines.c.reason.label("kept_since")),
    *(each.label(f"kept_{each.name}") for each in SHOWN[:3]),
    or_(bases.c.digest.is_(None), bases.c.digest == quarantines.c.digest).label("kept_is_shown"),
)
"""What `kept_because` reads, of rebuilds that `keepers` are joined to."""


def keepers(source: FromClause) -> FromClause:
    """The rebuilds in `source`, each with the quarantine that keeps it and the base of that, where one does."""
    is_its = quarantines.c.id == rebuilds.c.quarantine_id
    return source.outerjoin(quarantines, is_its).outerjoin(bases, bases.c.id == quarantines.c.base_id)


def kept_because(row: Any) -> str | None:
    """Why a quarantine keeps a rebuild, and what that waits for; None where none does."""
    if row.kept_by is None:
        return None
    base = Base(row.kept_registry, row.kept_repository, row.kept_tag)
    return kept_in_words(base, row.kept_by, row.kept_since, is_shown=row.kept_is_shown)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The quarantines that hold: those of `carried_digests` keep what brings their digest, those of `shown_bases`
    all that stands on a base that shows it, or of which nobody knows what it shows."""

    carried_digests: Mapping[Carried, int] = field(default_factory=dict)
    shown_bases: Mapping[Base, int] = field(default_factory=dict)

    def keeping(self, targets: Iterable[Target]) -> list[int]:
        """The quarantines that keep a rebuild with these targets from beginning."""
        pairs = (
            (self.shown_bases.get(target.base), self.carried_digests.get((target.base, target.to_digest)))
            for target in targets
        )
        return [number for pair in pairs for number in pair if number is not None]

    def first_keeping(self, targets: Iterable[Target]) -> int | None:
        return next(iter(self.keeping(targets)), None)


async def quarantined(connection: AsyncConnection) -> Quarantined:
    """Reads what is quarantined now; of several quarantines of one base the one that was opened first."""
    rows = await connection.execute(
        select(quarantines.c.id, quarantines.c.digest.label("held"), *SHOWN)
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(quarantines.c.until.is_(None))
        .order_by(quarantines.c.id.desc())
    )
    carried_digests: dict[Carried, int] = {}
    shown_bases: dict[Base, int] = {}
    for row in rows:
        base = base_of(row)
        carried_digests[base, row.held] = row.id
        if row.digest is None or row.digest == row.held:
            shown_bases[base] = row.id
    return Quarantined(carried_digests, shown_bases)


async def to_be_marked(connection: AsyncConnection) -> tuple[set[int], dict[int, list[int]]]:
    """The rebuilds that are kept and shall be no more, and those that wait and shall be kept, by the quarantine.

    Bases move while a quarantine holds, so that all that waits is judged. What cannot be read stays as it is kept.
    """
    quarantines_now = await quarantined(connection)
    holding = set(quarantines_now.carried_digests.values())
    waits = rebuilds.c.state.in_(AWAITING)
    rows = (
        await connection.execute(
            select(rebuilds.c.id, rebuilds.c.targets, rebuilds.c.quarantine_id, waits.label("waits")).where(
                or_(rebuilds.c.quarantine_id.is_not(None), waits if holding else false())
            )
        )
    ).all()
    targets_by_rebuild = read_targets(rows)
    freed_ids: set[int] = set()
    ids_to_keep: dict[int, list[int]] = {}
    for row in rows:
        unread = [row.quarantine_id] if row.quarantine_id in holding else []
        keeping = (
            (quarantines_now.keeping(targets_by_rebuild[row.id]) if row.id in targets_by_rebuild else unread)
            if row.waits
            else []
        )
        if row.quarantine_id in keeping:
            continue
        if row.quarantine_id is not None:
            freed_ids.add(row.id)
        if keeping:
            ids_to_keep.setdefault(keeping[0], []).append(row.id)
    return freed_ids, ids_to_keep


async def still_carried(connection: AsyncConnection, digests: Collection[str]) -> set[Carried]:
    """Those of these digests, each with its base, that a rebuild carries which has not ended: one that is planned,
    an open pull request, also one that may merge before the next rebuild goes on with it, a build or a step under
    way."""
    if not digests:
        return set()
    names_one = or_(*(cast(rebuilds.c.targets, Text).contains(digest) for digest in sorted(digests)))
    rows = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.targets).where(or_(rebuilds.c.state.in_(OPEN), MERGES_STILL), names_one)
    )
    target_lists = read_targets(rows).values()
    return {
        (each.base, each.to_digest) for targets in target_lists for each in targets if each.to_digest in digests
    }
