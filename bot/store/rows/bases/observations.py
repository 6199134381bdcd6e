"""The latest observations of many bases at once, and how long documents of digests are kept."""

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import Observation, Sight
from bot.domain.reference import Base
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.writing import chunks
from bot.store.rows.bases.tables import bases, manifests, observations
from bot.store.rows.forgetting import UNREFERRED_FOR, delete_rows, forgets
from bot.store.rows.images.images import images


async def latest_observations(connection: AsyncConnection, ids: Sequence[int], limit: int) -> list[Row[Any]]:
    """Reads up to `limit` observations of each base, oldest first, each with the base's id; see `loaded`."""
    rank = (
        func.row_number().over(partition_by=observations.c.base_id, order_by=observations.c.id.desc()).label("rank")
    )
    latest: list[Row[Any]] = []
    for chunk in chunks(ids):
        ranking = (
            select(observations.c.id, observations.c.base_id, observations.c.observation, rank)
            .where(observations.c.base_id.in_(chunk))
            .subquery()
        )
        rows = await connection.execute(select(ranking).where(ranking.c.rank <= limit).order_by(ranking.c.id))
        latest += rows.all()
    return latest


async def histories(connection: AsyncConnection, ids: Collection[int]) -> list[Row[Any]]:
    """Reads all observations of these bases, oldest first, each with the base's id; see `loaded`."""
    rows = await connection.execute(
        select(observations.c.id, observations.c.base_id, observations.c.observation)
        .where(observations.c.base_id.in_(ids))
        .order_by(observations.c.id)
    )
    return [*rows]


async def digests_shown(
    connection: AsyncConnection, bases_by_id: Mapping[int, Base]
) -> dict[int, list[Observation]]:
    """Reads when these bases showed which digest, oldest first, and nothing else of what was observed: in one
    statement for some hundred bases, however long their histories are."""
    history_of: dict[int, list[Observation]] = {number: [] for number in bases_by_id}
    for chunk in chunks(sorted(bases_by_id)):
        rows = await connection.execute(
            select(observations.c.base_id, observations.c.at, observations.c.digest)
            .where(observations.c.base_id.in_(chunk))
            .order_by(observations.c.base_id, observations.c.id)
        )
        for row in rows:
            history_of[row.base_id].append(Observation(row.at, bases_by_id[row.base_id], row.digest))
    return history_of


def loaded(bases_by_id: Mapping[int, Base], rows: Iterable[Row[Any]]) -> dict[Base, list[Observation]]:
    """Loads the histories in such rows, not while they are read: it takes long, and must hold no transaction."""
    history_of: dict[Base, list[Observation]] = {}
    pairs = readable(
        rows,
        lambda row: (bases_by_id[row.base_id], load(row.observation, Observation)),
        lambda row: f"observation {row.id}",
    )
    for base, observation in pairs:
        history_of.setdefault(base, []).append(observation)
    return history_of


async def add_observation(connection: AsyncConnection, base: int, observation: Observation, sight: str) -> int:
    """Appends to the history. A first sight is a baseline that asks for no assessment, unless what is known from
    elsewhere shows something else."""
    previous = await last_with_digest(connection, base)
    is_baseline = sight == Sight.FIRST and (previous is None or previous.digest == observation.digest)
    result = await connection.execute(
        insert(observations)
        .values(
            base_id=base,
            previous_id=None if previous is None else previous.id,
            at=observation.at,
            digest=observation.digest,
            sight=sight,
            observation=dump(observation, Observation),
            assessed=is_baseline,
        )
        .returning(observations.c.id)
    )
    return int(result.scalar_one())


async def last_with_digest(connection: AsyncConnection, base: int) -> Row[Any, Any] | None:
    """The id and digest of the last observation of a base at which it was there."""
    rows = await connection.execute(
        select(observations.c.id, observations.c.digest)
        .where(observations.c.base_id == base, observations.c.digest.is_not(None))
        .order_by(observations.c.id.desc())
        .limit(1)
    )
    return rows.first()


@forgets(manifests, "what no base and no image shows, and no base has shown since", UNREFERRED_FOR)
async def forget_manifests(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    unreferred = await _unreferred_manifests(connection, before)
    return {"manifests": await delete_rows(connection, manifests, "digest", unreferred)}


async def _unreferred_manifests(connection: AsyncConnection, before: datetime) -> list[str]:
    """Documents of digests that no base or image shows now and no base has shown since `before`."""
    kept = set((await connection.execute(select(bases.c.digest).where(bases.c.digest.is_not(None)))).scalars())
    kept |= set((await connection.execute(select(images.c.digest).where(images.c.digest.is_not(None)))).scalars())
    lately = select(observations.c.digest).where(observations.c.at >= before, observations.c.digest.is_not(None))
    new = set((await connection.execute(lately)).scalars()) | kept
    kept = set()
    while new := new - kept:
        kept |= new
        new = {digest_name for chunk in chunks(sorted(new)) for digest_name in await _named_in(connection, chunk)}
    old = await connection.execute(select(manifests.c.digest).where(manifests.c.fetched_at < before))
    return sorted(set(old.scalars()) - kept)


async def _named_in(connection: AsyncConnection, digests: Collection[str]) -> set[str]:
    """The manifests and configs that these documents point to."""
    bodies = await connection.execute(select(manifests.c.body).where(manifests.c.digest.in_(digests)))
    return {digest for body in bodies.scalars() for digest in _digests(json.loads(zlib.decompress(body)))}


def _digests(document: Any) -> Iterator[str]:
    """Returns what a document points to: an index to its images, an image to its config, a config to nothing."""
    pointers = document.get("manifests", [document.get("config")]) if isinstance(document, dict) else []
    for pointer in pointers if isinstance(pointers, list) else []:
        if isinstance(pointer, dict) and isinstance(pointer.get("digest"), str):
            yield pointer["digest"]
