"""Finds what an order names: rebuilds of a repository, a rollout that is open, a base."""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import ENDED, Rebuild
from bot.domain.wording.misfits import did_you_mean
from bot.store.engine.writing import chunks, lock
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import read_rebuilds
from bot.store.rows.rollouts.tables import rebuilds, rollouts

_MOST_NAMED = 4


async def not_ended(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> list[Rebuild]:
    """Reads the rebuilds that have not ended, locked first, so that what a busy worker is just writing is seen."""
    ids = list(
        (
            await connection.execute(select(rebuilds.c.id).where(*conditions, rebuilds.c.state.not_in(ENDED)))
        ).scalars()
    )
    await lock(connection, rebuilds, ids)
    return [
        rebuild
        for chunk in chunks(ids)
        for rebuild in await read_rebuilds(connection, rebuilds.c.id.in_(chunk), rebuilds.c.state.not_in(ENDED))
    ]


async def rebuilds_named(connection: AsyncConnection, name: str) -> ColumnElement[bool]:
    """The rebuilds of a repository, or the one with this id; raises `Failure` where there is no such thing."""
    if name.isdecimal() and len(name) < 19:
        query = select(rebuilds.c.id).where(rebuilds.c.id == int(name))
        if (await connection.execute(query)).first() is not None:
            return rebuilds.c.id.in_([int(name)])
        advice = "`freshness-bot rollout show ID --all` shows the ids of its rebuilds"
        raise Failure(Trouble.MISSING, f"there is no rebuild {name}", advice=advice)
    repository_id = (
        await connection.execute(select(repositories.c.id).where(repositories.c.name == name))
    ).scalar()
    if repository_id is None:
        names = (await connection.execute(select(repositories.c.name))).scalars()
        advice = did_you_mean(name, names, "write owner/name")
        raise Failure(Trouble.MISSING, f"no repository {name!r} is known", advice=advice)
    return rebuilds.c.repository_id.in_([repository_id])


async def ask_for_open_rollout(connection: AsyncConnection, number: int) -> None:
    """Raises `Failure` where there is no rollout of this number, or it has ended."""
    row = (await connection.execute(select(rollouts.c.ended_at).where(rollouts.c.id == number))).first()
    if row is None:
        raise Failure(Trouble.MISSING, f"there is no rollout {number}", advice="see `freshness-bot rollout list`")
    if row.ended_at is not None:
        raise Failure(Trouble.CONFLICT, f"rollout {number} ended {row.ended_at:%Y-%m-%d %H:%M} UTC")


async def base_named(connection: AsyncConnection, name: str) -> tuple[int, str | None]:
    """Finds a base by its name: its id and what it shows. One that the fleet uses goes before others.

    Raises `Failure` where none is known, or several are.
    """
    rows = await connection.execute(select(bases).where(or_(*_spellings(name))).order_by(bases.c.id))
    candidates = rows.all()
    matches = [row for row in candidates if row.used] or candidates
    if not matches:
        names = await connection.execute(select(bases.c.registry, bases.c.repository, bases.c.tag))
        advice = did_you_mean(
            name,
            (Base(*each).short for each in names),
            "write registry/repository:tag, as `freshness-bot status` shows it",
        )
        raise Failure(Trouble.MISSING, f"no base {name!r} is known", advice=advice)
    if len(matches) > 1:
        alternatives = " or ".join(f"{row.registry}/{row.repository}:{row.tag}" for row in matches[:_MOST_NAMED])
        raise Failure(
            Trouble.CONFLICT, f"{name!r} may be one of {len(matches)} bases", advice=f"write {alternatives}"
        )
    return matches[0].id, matches[0].digest


def _spellings(name: str) -> list[ColumnElement[bool]]:
    """A base as `Base.is_called` knows it, asked of the store."""
    repository, _, tag = name.partition("@")[0].rpartition(":")
    whole = bases.c.registry + "/" + bases.c.repository
    is_tagged = bases.c.tag == tag
    return [
        and_(is_tagged, or_(whole == repository, bases.c.repository == repository)),
        and_(is_tagged, whole.endswith(f"/{repository}", autoescape=True)),
    ]


async def digests_of(connection: AsyncConnection, base: int) -> frozenset[str]:
    """By which digests what a base shows now may be called: its own, and upstream's of which it is a copy."""
    row = (await connection.execute(select(bases).where(bases.c.id == base))).one()
    is_copy = row.likeness is not None and row.behind_since is None
    return frozenset(each for each in (row.digest, row.upstream_digest if is_copy else None) if each is not None)
