"""What images say of themselves whose digests are pinned, and that their bases were not seen to show.

Each is read once in the life of the store: a digest never stands for anything else.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Select, UniqueConstraint, and_, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.store.engine.codec import load, readable
from bot.store.rows.bases.tables import bases, observations
from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.schema import DueTable, LongText, Moment, ShortText, falls_due, leased, locked_after

pinned_digests = leased(
    "pinned_digests",
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("digest", ShortText(160), nullable=False),
    Column("observation", JSON(none_as_null=True)),
    Column("read_at", Moment),
    Column("error", LongText),
    UniqueConstraint("digest", "registry", "repository"),
)
"""`observation` has the version that the image declares, when it was made, and one platform of it."""
falls_due(pinned_digests, DueTable("pinned-digests", (pinned_digests.c.read_at.is_(None),)))
locked_after(pinned_digests, "tasks")

Place = tuple[str, str, str]
"""Registry, repository and digest."""


def unfound_pins() -> Select[Any]:
    """Digests that are pinned, that their bases do not show, and that neither a row nor an observation tells of."""
    is_known = exists().where(
        pinned_digests.c.digest == usages.c.digest,
        pinned_digests.c.registry == bases.c.registry,
        pinned_digests.c.repository == bases.c.repository,
    )
    was_shown = exists().where(observations.c.base_id == bases.c.id, observations.c.digest == usages.c.digest)
    return (
        select(bases.c.registry, bases.c.repository, usages.c.digest)
        .join(usages, usages.c.base_id == bases.c.id)
        .join(repositories, repositories.c.id == usages.c.repository_id)
        .where(bases.c.digest.is_not(None), usages.c.digest != bases.c.digest, repositories.c.listed.is_(True))
        .where(~is_known, ~was_shown)
        .distinct()
    )


IS_UNREAD = and_(pinned_digests.c.read_at.is_(None), pinned_digests.c.error.is_(None))
"""Of a row whose turn has not come yet."""


def place_of(base: Base, digest: str) -> Place:
    return base.registry, base.repository, digest


async def read_pinned(
    connection: AsyncConnection, digests: Collection[str] | None = None
) -> dict[Place, Observation]:
    """Reads what all digests, or these alone, say of themselves, as far as they were read."""
    query = select(pinned_digests).where(pinned_digests.c.observation.is_not(None))
    if digests is not None:
        query = query.where(pinned_digests.c.digest.in_(digests))
    rows = await connection.execute(query)
    return dict(
        readable(
            rows,
            lambda row: ((row.registry, row.repository, row.digest), load(row.observation, Observation)),
            lambda row: f"pinned digest {row.id}",
        )
    )


@forgets(pinned_digests, "what no repository pins any more", UNREFERRED_FOR)
async def forget_pinned_digests(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    is_pinned = exists().where(usages.c.digest == pinned_digests.c.digest)
    deleted = await connection.execute(delete(pinned_digests).where(pinned_digests.c.due_at < before, ~is_pinned))
    return {"pinned_digests": deleted.rowcount}
