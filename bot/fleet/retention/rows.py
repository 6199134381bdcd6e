"""What is kept no longer: rebuilds that ended long ago, and what is kept of what nothing shows any more."""

import json
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import PlatformImage
from bot.domain.rollouts.rebuild import ENDED
from bot.fleet.verify.reports.rows.scan_reports import forget_reports
from bot.store.engine.codec import load
from bot.store.engine.inserting import chunks, insert_missing
from bot.store.engine.queue.claiming import claim, settle
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.bases.tables import bases, changes, manifests, observations
from bot.store.rows.images.artifact_reads import artifact_reads
from bot.store.rows.images.images import images
from bot.store.rows.images.unpacked_layers import unpacked_layers
from bot.store.rows.inventories.packages import forget_indexes, forget_inventories
from bot.store.rows.repositories.tables import blobs, repository_blobs
from bot.store.rows.rollouts.served import last_changes
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds, transitions
from bot.store.rows.tables import tasks

_TASK = "forget what is kept no longer"
_EVERY = timedelta(days=1)
_UNREFERRED_FOR = timedelta(days=8)
"""Longer than a week, in which every repository is read again and tells anew which files it holds."""
_UNUSED_FOR = timedelta(days=365)
"""What a layer holds takes few bytes to keep and many to read again: an image that comes back finds it known."""
_COMPARED_FOR = timedelta(days=90)
"""So long each move of a base tells which CVEs it fixed, and which are still open in what it brought."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows went."""

    rebuilds: int = 0
    transitions: int = 0
    blobs: int = 0
    manifests: int = 0
    inventories: int = 0
    layers: int = 0
    reports: int = 0
    unpacked_layers: int = 0


class RetentionStore(Store):
    """Forgets once a day what is older than the operator keeps it."""

    async def claim_forgetting(self) -> int | None:
        """The daily task where it is due, so that one replica does it."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await connection.execute(insert_missing(connection, tasks, name=_TASK, due_at=now))
            rows = await claim(connection, tasks, self._worker, now, limit=1, where=[tasks.c.name == _TASK])
        return rows[0]["id"] if rows else None

    async def forget(self, task: int, retention: timedelta) -> Forgotten:
        """Ends the task with everything forgotten, or, where the lease is lost, with nothing."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(connection, tasks, self._worker, task, due_at=now + _EVERY)
            unreferred = await _unreferred_manifests(connection, now - _UNREFERRED_FOR)
            forgotten_manifests = await _delete(connection, manifests, "digest", unreferred)
            unused = await _unused_layers(connection, now - _UNUSED_FOR)
            unpacked = await _delete(connection, unpacked_layers, "digest", unused)
            old = await _ended_rebuilds(connection, now - retention)
            moves = await _delete(connection, transitions, "rebuild_id", old)
            await _delete(connection, steps, "rebuild_id", old)
            ended = await _delete(connection, rebuilds, "id", old)
            files = delete(blobs).where(
                blobs.c.fetched_at < now - _UNREFERRED_FOR,
                blobs.c.sha.not_in(select(repository_blobs.c.sha)),
            )
            reports = await forget_reports(connection, now - _UNREFERRED_FOR)
            await connection.execute(delete(artifact_reads).where(*_past_reads(now - _UNREFERRED_FOR)))
            unshown = await forget_inventories(connection, now - _UNREFERRED_FOR, now - _COMPARED_FOR)
            await forget_indexes(connection, now - _UNREFERRED_FOR)
            gone = (await connection.execute(files)).rowcount
            return Forgotten(ended, moves, gone, forgotten_manifests, *unshown, reports, unpacked)


def _past_reads(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Which runs ended, and were looked through, before then: of rebuilds and their steps only those of steps that
    failed are told when, and go so; the rest goes with its rebuild."""
    return artifact_reads.c.ended_at < before, artifact_reads.c.read_at < before


async def _ended_rebuilds(connection: AsyncConnection, before: datetime) -> list[int]:
    """Those whose rollout carries no base's last change.

    A repository that joins the fleet, or falls behind, is still served by such a change, and its rebuilds tell who
    has been.
    """
    needed = select(changes.c.rollout_id).where(changes.c.id.in_(last_changes()), changes.c.rollout_id.is_not(None))
    found = await connection.execute(
        select(rebuilds.c.id).where(
            rebuilds.c.state.in_(ENDED), rebuilds.c.ended_at < before, rebuilds.c.rollout_id.not_in(needed)
        )
    )
    return list(found.scalars())


async def _unreferred_manifests(connection: AsyncConnection, before: datetime) -> list[str]:
    """Documents of digests that no base or image shows now and no base has shown since `before`."""
    kept = set((await connection.execute(select(bases.c.digest).where(bases.c.digest.is_not(None)))).scalars())
    kept |= set((await connection.execute(select(images.c.digest).where(images.c.digest.is_not(None)))).scalars())
    lately = select(observations.c.digest).where(observations.c.at >= before, observations.c.digest.is_not(None))
    new = set((await connection.execute(lately)).scalars()) | kept
    kept = set()
    while new := new - kept:
        kept |= new
        new = {named for chunk in chunks(sorted(new)) for named in await _named_in(connection, chunk)}
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


async def _unused_layers(connection: AsyncConnection, before: datetime) -> set[str]:
    """Layers that were read before then to see what they hold, and that no image has now."""
    read = await connection.execute(select(unpacked_layers.c.digest).where(unpacked_layers.c.read_at < before))
    unused = set(read.scalars())
    if not unused:
        return unused
    shown = await connection.execute(select(images.c.id, images.c.platforms).where(images.c.platforms.is_not(None)))
    for platforms in readable(
        shown, lambda row: load(row.platforms, tuple[PlatformImage, ...]), lambda row: f"image {row.id}"
    ):
        unused.difference_update(*(platform.layers for platform in platforms))
    return unused


async def _delete(connection: AsyncConnection, table: Table, column: str, values: Collection[Any]) -> int:
    deleted = 0
    for chunk in chunks(sorted(values)):
        deleted += (await connection.execute(delete(table).where(table.c[column].in_(chunk)))).rowcount
    return deleted
