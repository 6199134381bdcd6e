"""Where a repository runs images, as its manifests name them now, and since when each place names what it does."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure
from bot.domain.repositories.usage import Naming, Usage, what_is_named
from bot.store.engine.codec import dump, load
from bot.store.rows.images.images import deployments

_Place = dict[str, Any]
"""A place by the columns of `deployments`."""
_Apart = tuple[list[tuple[_Place, _Place]], list[_Place], list[_Place]]
"""Rows with the places that they stay; then the rows that are gone, and the places that begin."""
_NAMED = ("registry", "repository", "tag", "digest", "path", "line")
_TIMES = ("since", "is_older")
_MOST_BEFORE = 30
"""So many are kept of what a place named before."""
_OF_REPOSITORY = select(*(deployments.c[name] for name in ("id", *_NAMED, *_TIMES, "named_before"))).order_by(
    deployments.c.line
)
_CHANGE = (
    update(deployments)
    .where(deployments.c.id == bindparam("row"))
    .values(
        {name: bindparam(f"new_{name}") for name in _NAMED}
        | {
            name: func.coalesce(bindparam(f"new_{name}", type_=deployments.c[name].type), deployments.c[name])
            for name in _TIMES
        }
        | {"named_before": bindparam("new_named_before", type_=deployments.c.named_before.type)}
    )
)
"""A place that has no new time keeps its own."""


async def save_deployments(
    connection: AsyncConnection, repository: int, usages: Sequence[Usage], now: datetime, *, is_older: bool
) -> None:
    """Stores where a repository runs images, as it stands now; only what changed is written.

    A place that names what it did keeps its time, on whichever line it stands, and in a file that was renamed. Any
    other begins now, or before that where `is_older`: what the repository held until now was not read, or not by
    the same reader. What it named of the same image before is kept with it.
    """
    result = await connection.execute(_OF_REPOSITORY.where(deployments.c.repository_id == repository))
    rows = [row._asdict() for row in result]
    places = sorted(map(_place_of, usages), key=lambda place: place["line"])
    stay, old_rows, new_places = _tell_apart(rows, places)
    changed = [_change(row, place) for row, place in stay if any(row[name] != place[name] for name in _NAMED)]
    new_places = _with_before(old_rows, new_places)
    changed += [_change(row, place, now, is_older) for row, place in zip(old_rows, new_places, strict=False)]
    if changed:
        await connection.execute(_CHANGE, changed)
    if more := new_places[len(old_rows) :]:
        times = {"repository_id": repository, "since": now, "is_older": is_older}
        await connection.execute(insert(deployments), [{**place, **times} for place in more])
    if fewer := [row["id"] for row in old_rows[len(new_places) :]]:
        await connection.execute(delete(deployments).where(deployments.c.id.in_(fewer)))


def _tell_apart(rows: Sequence[_Place], places: Sequence[_Place]) -> _Apart:
    """What stays in its file, or in one that was renamed: the old name is gone, and the new one was not there."""
    stay, old_rows, new_places = _pair(rows, places, _where_what_is_named)
    before, after = ({place["path"] for place in side} for side in (rows, places))
    rows_left = [row for row in old_rows if row["path"] not in after]
    places_left = [place for place in new_places if place["path"] not in before]
    renamed_pairs, rows_left, places_left = _pair(rows_left, places_left, _what_is_named)
    old_rows = [*rows_left, *(row for row in old_rows if row["path"] in after)]
    new_places = [*places_left, *(place for place in new_places if place["path"] in before)]
    return [*stay, *renamed_pairs], old_rows, new_places


def _pair(old_rows: Sequence[_Place], places: Sequence[_Place], key_of: Callable[[_Place], Hashable]) -> _Apart:
    """Pairs rows and places of which the same is told, in their order."""
    rows: dict[Hashable, list[_Place]] = {}
    for row in old_rows:
        rows.setdefault(key_of(row), []).append(row)
    pairs, new_places = [], []
    for place in places:
        if same_rows := rows.get(key_of(place)):
            pairs.append((same_rows.pop(0), place))
        else:
            new_places.append(place)
    return pairs, [row for rest in rows.values() for row in rest], new_places


def _with_before(old_rows: Sequence[_Place], new_places: Sequence[_Place]) -> list[_Place]:
    """The places that begin, with what each named of its image until now: nothing where it is new, and None where
    it may be one that is gone from another file, or another of its own file, which had more of them, or less."""
    pairs, rows_left, new = _pair(old_rows, new_places, _where_its_image_is)
    uneven = {_where_its_image_is(row) for row, _ in pairs} & set(map(_where_its_image_is, (*rows_left, *new)))
    images = {_its_image(row) for row in rows_left}

    def named_before(place: _Place, row: _Place | None) -> Any:
        if _where_its_image_is(place) in uneven:
            return None
        if row is not None:
            return _namings_before(row)
        return None if _its_image(place) in images else []

    pairs_to_name: list[tuple[_Place, _Place | None]] = [(place, row) for row, place in pairs]
    pairs_to_name += [(place, None) for place in new]
    return [{**place, "named_before": named_before(place, row)} for place, row in pairs_to_name]


def _namings_before(row: _Place) -> Any:
    """What a place that begins in place of this row named before; None where that is not known."""
    if not isinstance(row["since"], datetime):
        return None
    try:
        stored = row["named_before"]
        namings_before = None if stored is None else load(stored, tuple[Naming, ...])
        namings = [
            Naming(row["tag"], row["digest"], row["since"], row["is_older"] or namings_before is None),
            *(namings_before or ()),
        ]
        if len(namings) > _MOST_BEFORE:
            namings = [*namings[: _MOST_BEFORE - 1], replace(namings[_MOST_BEFORE - 1], is_older=True)]
        return dump(tuple(namings), tuple[Naming, ...])
    except Failure:
        return None


def _place_of(usage: Usage) -> _Place:
    image = usage.reference
    values = (image.registry, image.repository, image.tag, image.digest, usage.path, usage.line)
    return dict(zip(_NAMED, values, strict=True))


def _what_is_named(place: _Place) -> Hashable:
    return *_its_image(place), what_is_named(place["tag"], place["digest"])


def _its_image(place: _Place) -> tuple[str, str]:
    return place["registry"], place["repository"]


def _where_its_image_is(place: _Place) -> Hashable:
    return place["path"], _its_image(place)


def _where_what_is_named(place: _Place) -> Hashable:
    return place["path"], _what_is_named(place)


def _change(
    row: _Place, place: _Place, since: datetime | None = None, is_older: bool | None = None
) -> dict[str, Any]:
    new = {"named_before": row["named_before"], **place, "since": since, "is_older": is_older}
    return {"row": row["id"], **{f"new_{name}": value for name, value in new.items()}}
