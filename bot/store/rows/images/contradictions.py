"""Images whose witnesses contradict each other: one incident for each repository that produces some."""

from collections.abc import Collection
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.standing import ImageStanding, ImageState
from bot.domain.wording.words import counted
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.rows.bases.tables import incidents
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories
from bot.watch.registry.incident import LONGEST_SUBJECT, Incident

CONTRADICTED = "contradicted:"
"""What the subjects of these incidents begin with."""
_ADVICE = "find out how it was built, and build it anew; until then it counts as not fresh"
_CONTRADICTED = (
    select(
        *(images.c[name] for name in ("id", "registry", "repository", "tag", "found", "standings")),
        repositories.c.name,
    )
    .join(repositories, repositories.c.id == images.c.repository_id)
    .where(images.c.state == ImageState.CONTRADICTED.value, repositories.c.listed)
    .order_by(repositories.c.name, images.c.registry, images.c.repository, images.c.tag)
)


async def news_of_contradictions(connection: AsyncConnection, now: datetime) -> tuple[list[Incident], set[str]]:
    """The incidents that begin, and the subjects of those that are over."""
    found = readable(
        await connection.execute(_CONTRADICTED),
        lambda row: (row.name, _told(row)),
        lambda row: f"image {row.id}",
    )
    wanted = {
        each.subject: each
        for name, rows in groupby(found, key=lambda each: each[0])
        for each in [_incident(name, [told for _, told in rows], now)]
    }
    before = set(await connection.scalars(_open(incidents.c.subject)))
    begun = [each for subject, each in wanted.items() if subject not in before]
    return begun, before - wanted.keys()


async def open_contradictions(connection: AsyncConnection, only: Collection[str] | None = None) -> tuple[str, ...]:
    """What is told of each repository, the longest first; with `only`, of these repositories."""
    rows = await connection.execute(
        _open(incidents.c.subject, incidents.c.detail).order_by(incidents.c.opened_at, incidents.c.id)
    )
    told = [(row.subject.removeprefix(CONTRADICTED), row.detail) for row in rows]
    return tuple(f"{name}: {detail}" for name, detail in told if only is None or name in only)


def _open(*columns: Any) -> Select[Any]:
    return select(*columns).where(incidents.c.cleared_at.is_(None), incidents.c.subject.startswith(CONTRADICTED))


def _told(row: Any) -> str:
    standings = load(row.standings, tuple[ImageStanding, ...])
    worst = next(each for each in standings if each.state is ImageState.CONTRADICTED)
    return f"{row.registry}/{row.repository}:{row.found or row.tag} on {worst.platform}: {worst.disagreement}"


def _incident(name: str, told: list[str], now: datetime) -> Incident:
    more = f", and {counted(len(told) - 1, 'more image')}" if len(told) > 1 else ""
    return Incident(f"{CONTRADICTED}{name}"[:LONGEST_SUBJECT], now, f"{told[0]}{more}; {_ADVICE}")
