"""Whom changes concern: the usages that follow their bases, and that no plan has served yet."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Text, and_, cast, exists, or_, select

from bot.domain.failure import Failure
from bot.domain.repositories.repository import Affected
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import Target
from bot.store.engine.codec import load, load_text
from bot.store.engine.database import Database
from bot.store.engine.readable import readable
from bot.store.rows.bases.changes import changes_by_id
from bot.store.rows.bases.own_bases import own_links
from bot.store.rows.bases.tables import bases, changes
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import MEMBER, fleet_repository_of, sdk_pins
from bot.store.rows.rollouts.served import IS_UNSERVED
from bot.store.rows.rollouts.tables import rebuilds

_IS_ITS_OWN = exists(
    select(images.c.id)
    .join(bases, and_(bases.c.registry == images.c.registry, bases.c.repository == images.c.repository))
    .where(bases.c.id == usages.c.base_id, images.c.repository_id == usages.c.repository_id)
)
"""A usage of an image that its own repository produces: where nothing tells its images apart, a build that it set
off would set off the next."""
_LINK = (own_links.c.repository_id == usages.c.repository_id, own_links.c.base_id == usages.c.base_id)
_COUNTS = exists(select(own_links.c.id).where(*_LINK, own_links.c.cut.is_(False)))
"""A usage for which an image of the repository is known to stand on another."""
_IS_CUT = and_(exists(select(own_links.c.id).where(*_LINK, own_links.c.cut.is_(True))), ~_COUNTS)


async def affected_by(database: Database, ids: Sequence[int]) -> dict[int, list[Affected]]:
    """Reads for each change the usages that follow its base, in repositories that no plan for it has served.

    A skipped rebuild has not served it, but where the repository still opts out. A superseded one has: what it
    was to bring goes on with its successor, maybe in another rollout.
    """
    concerned_bases = select(changes.c.base_id).where(changes.c.id.in_(ids))
    theirs = select(*MEMBER).where(
        repositories.c.listed.is_(True),
        repositories.c.id.in_(select(usages.c.repository_id).where(usages.c.base_id.in_(concerned_bases))),
    )
    concerned = select(rebuilds.c.repository_id, IS_UNSERVED.label("is_unserved"), rebuilds.c.targets).where(
        rebuilds.c.rollout_id.in_(select(changes.c.rollout_id).where(changes.c.id.in_(ids)))
    )
    async with database.reading() as connection:
        rows = (await connection.execute(theirs)).mappings().all()
        pins = await sdk_pins(connection, {row["id"] for row in rows})
        planned = (await connection.execute(concerned)).all()
        rows_of_usages = (await connection.execute(_following_usages(ids))).all()
        brought = await changes_by_id(connection, {row.change for row in rows_of_usages if row.only_brought})
    empty = {number for number, change in brought.items() if not change.brings}
    counted = (row for row in rows_of_usages if not (row.only_brought and row.change in empty))
    concerned_usages = readable(counted, _Usages().usage_of, lambda row: f"usage {row.id}")
    members = dict(
        readable(
            rows, lambda row: (row["id"], fleet_repository_of(row, pins)), lambda row: f"repository {row['name']}"
        )
    )
    skipped = {pair for row in planned if row.is_unserved for pair in _changes_taken_up(row, ids)}
    served = {pair for row in planned if not row.is_unserved for pair in _changes_taken_up(row, ids)}
    affected: dict[int, list[Affected]] = {}
    for repository, change, usage in concerned_usages:
        member, pair = members.get(repository), (repository, change)
        if member is None or pair in served or (pair in skipped and not member.config.enabled):
            continue
        affected.setdefault(change, []).append(Affected(member, usage))
    return affected


def _following_usages(ids: Sequence[int]) -> Select[Any]:
    """The usages that follow the bases of these changes, with whether only what others brought counts for them."""
    return (
        select(
            changes.c.id.label("change"),
            usages.c.id,
            usages.c.repository_id,
            cast(usages.c.usage, Text).label("usage"),
            exists(select(own_links.c.id).where(*_LINK, own_links.c.only_brought.is_(True))).label("only_brought"),
        )
        .join(usages, usages.c.base_id == changes.c.base_id)
        .where(changes.c.id.in_(ids), or_(~_IS_ITS_OWN, _COUNTS), ~_IS_CUT)
        .order_by(usages.c.id)
    )


class _Usages:
    """Reads usages; equal texts, of which a fleet that was made from templates is full, become one value."""

    def __init__(self) -> None:
        self._known: dict[str, Usage] = {}

    def usage_of(self, row: Any) -> tuple[int, int, Usage]:
        """Reads a row's repository, change and usage."""
        usage = self._known.get(row.usage)
        if usage is None:
            usage = self._known[row.usage] = load_text(row.usage, Usage)
        return row.repository_id, row.change, usage


def _changes_taken_up(row: Any, changes: Sequence[int]) -> set[tuple[int, int]]:
    """The repository of a rebuild with each change that it takes up.

    Where these cannot be read, with all: a second dispatch does more harm than a missing one, which is told.
    """
    try:
        targets = load(row.targets, tuple[Target, ...])
    except Failure:
        return {(row.repository_id, change) for change in changes}
    return {(row.repository_id, change) for target in targets for change in target.changes}
