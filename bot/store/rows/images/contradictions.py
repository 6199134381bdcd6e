"""Images whose witnesses contradict each other: one incident for each repository that produces some."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import LONGEST_SUBJECT, Incident
from bot.domain.evidence import Strength
from bot.domain.images.standing import ImageStanding, ImageState
from bot.domain.wording.words import counted
from bot.store.engine.codec import load, readable
from bot.store.rows.bases.tables import incidents
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories

CONTRADICTED = "contradicted:"
"""What the subjects of these incidents begin with."""
_ADVICE = "find out how it was built, and build it anew; until then it counts as not fresh"
_MAY_BE = (ImageState.BEHIND.value, ImageState.UNSEEN_BUILD.value)
"""How an image may stand as well whose witnesses contradict each other: that weighs more than what they say."""
_CONTRADICTED = (
    select(
        *(images.c[name] for name in ("id", "registry", "repository", "tag", "found", "standings")),
        repositories.c.name,
    )
    .join(repositories, repositories.c.id == images.c.repository_id)
    .where(
        repositories.c.listed,
        or_(
            images.c.state == ImageState.CONTRADICTED.value,
            images.c.state.in_(_MAY_BE)
            & cast(images.c.standings, Text).contains(f'"{Strength.CONTRADICTED.value}"'),
        ),
    )
    .order_by(repositories.c.name, images.c.registry, images.c.repository, images.c.tag)
)


async def news_of_contradictions(connection: AsyncConnection, now: datetime) -> tuple[list[Incident], set[str]]:
    """The incidents that begin, and the subjects of those that are over; nothing is over by a row that cannot be
    read."""
    rows = (await connection.execute(_CONTRADICTED)).all()
    lines_by_subject: dict[str, list[str]] = {}
    for name, lines in readable(
        rows,
        lambda row: (row.name, _lines_of(row, load(row.standings, tuple[ImageStanding, ...]))),
        lambda row: f"image {row.id}",
    ):
        lines_by_subject.setdefault(_subject(name), []).extend(lines)
    before = set(await connection.scalars(_select_open(incidents.c.subject)))
    beginnings = [
        _incident(subject, lines, now)
        for subject, lines in lines_by_subject.items()
        if lines and subject not in before
    ]
    return beginnings, before - {_subject(row.name) for row in rows}


async def open_contradictions(connection: AsyncConnection, only: Collection[str] | None = None) -> tuple[str, ...]:
    """What is told of each repository, the longest first; with `only`, of these repositories."""
    rows = await connection.execute(
        _select_open(incidents.c.subject, incidents.c.detail).order_by(incidents.c.opened_at, incidents.c.id)
    )
    details = [(row.subject.removeprefix(CONTRADICTED), row.detail) for row in rows]
    return tuple(f"{name}: {detail}" for name, detail in details if only is None or name in only)


def _select_open(*columns: Any) -> Select[Any]:
    return select(*columns).where(incidents.c.cleared_at.is_(None), incidents.c.subject.startswith(CONTRADICTED))


def _lines_of(row: Any, standings: Sequence[ImageStanding]) -> list[str]:
    """A line for the first platform that is contradicted."""
    place = f"{row.registry}/{row.repository}:{row.found or row.tag}"
    contradictions = [each for each in standings if each.strength is Strength.CONTRADICTED]
    return [f"{place} on {each.platform}: {each.disagreement}" for each in contradictions[:1]]


def _subject(repository: str) -> str:
    return f"{CONTRADICTED}{repository}"[:LONGEST_SUBJECT]


def _incident(subject: str, lines: Sequence[str], now: datetime) -> Incident:
    more = f", and {counted(len(lines) - 1, 'more image')}" if len(lines) > 1 else ""
    return Incident(subject, now, f"{lines[0]}{more}; {_ADVICE}")
