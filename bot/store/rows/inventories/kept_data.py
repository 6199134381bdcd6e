"""How far the kept data of publishers reaches, for the gate, and what a dump was looked through for."""

import json
import zlib
from array import array
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.document import FeedKind
from bot.images.vulnerabilities import DOTNET, KeptData
from bot.store.engine.codec import check_moments, readable
from bot.store.rows.bases.tables import documents
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.store.rows.news import newest_times
from bot.store.rows.running.numbers import in_order
from bot.upstream.osv.questions import PackageQuestion
from bot.upstream.osv.record import UNNAMED, WantedPackages


def packed(considered: WantedPackages) -> bytes:
    """Makes the value of the column `considered`."""
    name_lists = [sorted(each) for each in (considered.releases, considered.names, considered.untold)]
    return zlib.compress(json.dumps([*name_lists, sorted(considered.unread)]).encode())


def unpacked(considered: bytes) -> WantedPackages:
    """Reads the value of the column `considered`."""
    releases, names, *more = json.loads(zlib.decompress(considered))
    untold, unread = (*more, [], [])[:2]
    pairs = frozenset((release, name) for release, name in unread)
    return WantedPackages(frozenset(releases), frozenset(names), frozenset(untold), pairs)


def packed_questions(questions: frozenset[PackageQuestion]) -> bytes | None:
    """Makes the value of the column `asked`, which is empty where nothing was asked."""
    rows = [[each.release, each.name, each.version] for each in sorted(questions)]
    return zlib.compress(json.dumps(rows).encode()) if rows else None


def unpacked_questions(packed_bytes: bytes | None) -> frozenset[PackageQuestion]:
    """Reads the value of the column `asked`."""
    if packed_bytes is None:
        return frozenset()
    return frozenset(PackageQuestion(*row) for row in json.loads(zlib.decompress(packed_bytes)))


def packed_entries(settled: frozenset[int]) -> bytes | None:
    """Makes the value of the column `settled`: eight bytes for each fingerprint."""
    return in_order(array("q", sorted(settled)), "big").tobytes() if settled else None


def unpacked_entries(packed_bytes: bytes | None) -> frozenset[int]:
    """Reads the value of the column `settled`."""
    return frozenset(in_order(array("q", packed_bytes or b""), "big"))


_MOST_KEPT = 8
"""Columns that are kept unpacked, by their bytes, more than there are publishers: each pull request of a rollout
asks for all of them, and they change with the data alone."""
_considered = lru_cache(maxsize=_MOST_KEPT)(unpacked)


async def kept_data(connection: AsyncConnection) -> KeptData:
    """Reads how old the kept data of each publisher is, and what it was looked through for."""
    checked_at: dict[str, Any] = {}
    considered: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    untold: set[str] = set()
    unread: set[tuple[str, str]] = set()
    illegible: set[str] = set()
    questions: dict[str, frozenset[tuple[str, str, str]]] = {}
    columns = (dumps.c.ecosystem, dumps.c.checked_at, dumps.c.fetched_at, dumps.c.considered, dumps.c.asked)
    for row in await connection.execute(select(*columns)):
        is_read = bool(readable([row], check_moments, lambda each: f"dump of {each.ecosystem}"))
        checked_at[row.ecosystem] = row.checked_at if is_read and row.fetched_at is not None else None
        if row.considered is not None:
            values = readable(
                [row], lambda each: _considered(each.considered), lambda each: f"dump of {each.ecosystem}"
            )
            considered_packages = values[0] if values else WantedPackages()
            considered[row.ecosystem] = considered_packages.releases, considered_packages.names
            untold |= considered_packages.untold
            unread |= considered_packages.unread - {UNNAMED}
            if UNNAMED in considered_packages.unread:
                illegible.add(row.ecosystem)
        if row.asked is not None:
            versions = readable(
                [row], lambda each: _load_questions(each.asked), lambda each: f"dump of {each.ecosystem}"
            )
            questions[row.ecosystem] = versions[0] if versions else frozenset()
    of_dotnet = select(func.count(), func.max(documents.c.checked_at)).where(
        documents.c.kind == FeedKind.DOTNET_INDEX.value
    )
    number, last = (await connection.execute(of_dotnet)).one()
    if number:
        checked_at[DOTNET] = last
    unknowns = (frozenset(untold), frozenset(unread), frozenset(illegible))
    return KeptData(checked_at, considered, questions, *unknowns, await newest_times(connection))


@lru_cache(maxsize=_MOST_KEPT)
def _load_questions(packed: bytes) -> frozenset[tuple[str, str, str]]:
    return frozenset((each.release, each.name, each.version) for each in unpacked_questions(packed))
