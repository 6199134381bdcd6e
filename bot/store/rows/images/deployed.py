"""Where a repository runs images, as its manifests name them now, and since when each place names what it does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.usage import Usage
from bot.store.rows.images.images import deployments

_NAMED = ("registry", "repository", "tag", "digest", "path", "line")
_OF_REPOSITORY = select(*(deployments.c[name] for name in ("id", *_NAMED))).order_by(deployments.c.line)
_CHANGE = (
    update(deployments)
    .where(deployments.c.id == bindparam("row"))
    .values(
        {name: bindparam(f"new_{name}") for name in _NAMED}
        | {
            name: func.coalesce(bindparam(f"new_{name}", type_=deployments.c[name].type), deployments.c[name])
            for name in ("since", "is_older")
        }
    )
)
"""A place that has no new time keeps its own."""


async def save_deployments(
    connection: AsyncConnection, repository: int, usages: Sequence[Usage], now: datetime, *, is_older: bool
) -> None:
    """Stores where a repository runs images, as it stands now; only what changed is written.

    A place that names what it did keeps its time, on whichever line it stands. Any other begins now, or before that
    where `is_older`: what the repository held until now was not read, or not by the same reader.
    """
    found = await connection.execute(_OF_REPOSITORY.where(deployments.c.repository_id == repository))
    known: dict[tuple[str, ...], list[Any]] = {}
    for row in found:
        known.setdefault(_what_is_named(row._asdict()), []).append(row)
    begun: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for place in sorted(map(_place, usages), key=lambda place: place["line"]):
        rows = known.get(_what_is_named(place))
        if not rows:
            begun.append(place)
            continue
        row = rows.pop(0)
        if any(getattr(row, name) != place[name] for name in _NAMED):
            changed.append(_change(row.id, place))
    gone = [row.id for rows in known.values() for row in rows]
    changed += [_change(number, place, now, is_older) for number, place in zip(gone, begun, strict=False)]
    if changed:
        await connection.execute(_CHANGE, changed)
    if more := begun[len(gone) :]:
        times = {"repository_id": repository, "since": now, "is_older": is_older}
        await connection.execute(insert(deployments), [{**place, **times} for place in more])
    if fewer := gone[len(begun) :]:
        await connection.execute(delete(deployments).where(deployments.c.id.in_(fewer)))


def _place(usage: Usage) -> dict[str, Any]:
    named = usage.reference
    told = (named.registry, named.repository, named.tag, named.digest, usage.path, usage.line)
    return dict(zip(_NAMED, told, strict=True))


def _what_is_named(place: dict[str, Any]) -> tuple[str, ...]:
    """What tells a place from others, but for its line; beside a digest the tag says nothing."""
    build = place["digest"] or place["tag"] or "latest"
    return place["path"], place["registry"], place["repository"], build


def _change(
    row: int, place: dict[str, Any], since: datetime | None = None, is_older: bool | None = None
) -> dict[str, Any]:
    new = {**place, "since": since, "is_older": is_older}
    return {"row": row, **{f"new_{name}": value for name, value in new.items()}}
