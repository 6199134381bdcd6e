"""Images with the repositories that claim them, and where manifests run them.

The digest that an image shows now is that image, whatever tag stands beside it; a tag that has a row of its own, or
was last seen for one, is that image; else a place may run any image of that name.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import ImageState
from bot.domain.repositories.usage import NO_TAG, Naming
from bot.store.engine.among import is_among
from bot.store.engine.codec import load_shared, readable
from bot.store.rows.images.images import contested_images, deployments, image_of, images
from bot.store.rows.repositories.tables import repositories
from bot.views.images.images import Deployment

_RANK = case({state.value: rank for rank, state in enumerate(ImageState)}, value=images.c.state)
ORDER = (_RANK, images.c.behind_since, images.c.registry, images.c.repository, images.c.id)
BY_NAME = (images.c.registry, images.c.repository, repositories.c.name, images.c.id)


def joined(query: Select[Any]) -> Select[Any]:
    """Joins the repository of each image to the query."""
    return query.join(repositories, repositories.c.id == images.c.repository_id)


def images_with_repositories() -> Select[Any]:
    return joined(select(images, repositories.c.name, repositories.c.default_branch))


Claims = Sequence[tuple[Any, ProducedImage]]
"""Images, each with its row."""


_FEW = 500
"""Of so many images it is less to ask who else claims their names than to ask it of all."""


async def read_claims(
    connection: AsyncConnection,
    *conditions: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = ORDER,
    most: int | None = None,
    offset: int = 0,
) -> Claims:
    """Reads the images that fulfil the conditions: the first of them, or those after the first `offset`."""
    if most is not None:  # a row is long: the database is to put their ids alone in order
        first = joined(select(images.c.id)).where(*conditions).order_by(*order).limit(most).offset(offset)
        conditions = (images.c.id.in_(first),)
    query = images_with_repositories().where(*conditions).order_by(*order)
    rows = (await connection.execute(query)).all()
    names = {(row.registry, row.repository) for row in rows}
    lost = await contested_images(connection, names if len(rows) <= _FEW else None) if rows else ()
    return readable(rows, lambda row: (row, image_of(row, row.name, lost)), lambda row: f"image {row.id}")


def one_of(claims: Iterable[ProducedImage]) -> ProducedImage | None:
    """Chooses the first image whose word counts, else the first."""
    return next(iter(sorted(claims, key=lambda image: image.doubt is not None)), None)


_TOLD = ("path", "line", "tag", "digest", "since", "is_older", "named_before")
_AT_ONCE = 20_000
"""Images that PostgreSQL keeps a hash table of, by the memory that it takes for one unless told otherwise."""
_TAG = case((and_(deployments.c.tag.is_(None), deployments.c.digest.is_(None)), NO_TAG), else_=deployments.c.tag)
"""The tag that a place names, if only by naming nothing. It tells what is run where the digest does not."""


def _names_some(value: ColumnElement[Any], *columns: str) -> ColumnElement[bool]:
    """Whether a place of `deployments` names some image in particular, by one of those columns of `images`."""
    other = images.alias()
    return exists(
        select(other.c.id).where(
            other.c.registry == deployments.c.registry,
            other.c.repository == deployments.c.repository,
            or_(*(other.c[column] == value for column in columns)),
        )
    )


_ASKED = (
    select(*(images.c[name] for name in ("id", "registry", "repository", "tag", "found", "digest")))
    .where(is_among(images.c.id, "images"))
    .cte("asked")
    .prefix_with("MATERIALIZED")
)
"""SQLite would look all of them up again for each place."""


def _in_one(table: FromClause, tag_or_digest: ColumnElement[Any]) -> ColumnElement[str]:
    """A tag or digest with its image's name, as one text: PostgreSQL takes several columns for too long for a hash
    table."""
    return table.c.registry + "/" + table.c.repository + ":" + tag_or_digest


def _is_asked(value: ColumnElement[Any], column: str) -> ColumnElement[bool]:
    """Whether what a place names is among what is asked for, as most is; only for the others are all images looked
    at."""
    asked_column = _ASKED.c[column]
    return _in_one(deployments, value).in_(select(_in_one(_ASKED, asked_column)).where(asked_column.is_not(None)))


_BY_TAG, _BY_DIGEST = literal("tag"), literal("digest")
_PLACES = (
    select(
        *(deployments.c[name] for name in ("repository_id", "registry", "repository", *_TOLD[:-1])),
        cast(deployments.c.named_before, String).label("named_before"),
        _TAG.label("run_tag"),
        case(
            (_is_asked(deployments.c.digest, "digest"), _BY_DIGEST),
            (and_(deployments.c.digest.is_not(None), _names_some(deployments.c.digest, "digest")), _BY_DIGEST),
            (_is_asked(_TAG, "tag"), _BY_TAG),
            (_names_some(_TAG, "tag", "found"), _BY_TAG),
        ).label("named_by"),
    )
    .where(
        tuple_(deployments.c.registry, deployments.c.repository).in_(select(_ASKED.c.registry, _ASKED.c.repository))
    )
    .cte("places")
    .prefix_with("MATERIALIZED")
)
"""What each place names is looked up once, not for each of hundreds of images of its name."""
_IS_RUN_THERE = and_(
    _PLACES.c.registry == _ASKED.c.registry,
    _PLACES.c.repository == _ASKED.c.repository,
    or_(
        _PLACES.c.named_by.is_(None),
        and_(_PLACES.c.named_by == _BY_DIGEST, _ASKED.c.digest == _PLACES.c.digest),
        and_(
            _PLACES.c.named_by == _BY_TAG,
            or_(_ASKED.c.tag == _PLACES.c.run_tag, _ASKED.c.found == _PLACES.c.run_tag),
        ),
    ),
)
_RUN_AT = (
    select(_ASKED.c.id, repositories.c.name, *(_PLACES.c[name] for name in _TOLD))
    .select_from(_ASKED)
    .join(_PLACES, _IS_RUN_THERE)
    .join(repositories, repositories.c.id == _PLACES.c.repository_id)
    .order_by(repositories.c.name, _PLACES.c.path, _PLACES.c.line)
)


async def deployments_of(
    connection: AsyncConnection, image_ids: Collection[int]
) -> Mapping[int, Sequence[Deployment]]:
    """The places where each of these images is run, in the order of repositories and files."""
    deployments: dict[int, list[Deployment]] = {}
    ids = list(image_ids)
    for start in range(0, len(ids), _AT_ONCE):
        parameters = {"images": ids[start : start + _AT_ONCE]}
        rows = (await connection.execute(_RUN_AT, parameters)).all()
        for number, repository, path, line, tag, digest, since, is_older, before in rows:
            named_since = since if isinstance(since, datetime) else None
            place = Deployment(repository, path, line, tag, digest, named_since, is_older, _namings(before))
            deployments.setdefault(number, []).append(place)
    return deployments


def _namings(text: str | None) -> tuple[Naming, ...] | None:
    """Reads what a place named before; None where that is not known."""
    if text is None or text == "null":
        return None
    try:
        namings: tuple[Naming, ...] = load_shared(text, tuple[Naming, ...])
    except Failure:
        return None
    return namings
