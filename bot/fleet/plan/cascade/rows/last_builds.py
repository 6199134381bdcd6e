"""The last build of each image among own bases, and which of them failed."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import ImageVerdict
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.fleet.plan.cascade.graph import Image
from bot.fleet.plan.cascade.parts import RepositoryImages
from bot.fleet.plan.cascade.rows.members import images_for
from bot.fleet.plan.cascade.shown import LastBuild
from bot.store.engine.codec import load, readable
from bot.store.rows.rollouts.rebuilds import was_tried_again
from bot.store.rows.rollouts.tables import rebuilds


async def last_builds(
    connection: AsyncConnection, parents: Collection[Image], parts: Mapping[int, RepositoryImages]
) -> tuple[dict[Image, LastBuild], dict[Image, datetime | None]]:
    """The last build of each parent, and the images of which the last rebuild failed before it was built, with when
    that was."""
    rows = await last_ended(connection, {image.repository for image in parents}, parts.keys())
    last = {image: row for row in rows for image in images_for(row, parts)}
    failed = {
        image: row.ended_at
        for image, row in last.items()
        if row.state == RebuildState.FAILED.value
        and (row.built_at is None or (row.proof is not None and ImageVerdict(row.proof).fails))
    }
    builds = readable(
        [(image, row) for image, row in last.items() if image not in failed],
        lambda pair: (pair[0], _last_build(pair[0], pair[1], parts)),
        lambda pair: f"rebuild {pair[1].id}",
    )
    return dict(builds), failed


async def last_ended(connection: AsyncConnection, homes: Set[int], with_parts: Set[int]) -> Sequence[Any]:
    """The last rebuild of each repository that was built or failed, the oldest first; of those `with_parts` the
    last one for each base."""
    is_no_notice = rebuilds.c.action != Action.NOTIFY.value
    was_built = and_(
        rebuilds.c.built_at.is_not(None),
        or_(
            rebuilds.c.proof.is_(None),
            rebuilds.c.proof.in_([ImageVerdict.PROVED.value, ImageVerdict.UNKNOWN.value]),
        ),
    )
    has_failed = and_(rebuilds.c.state == RebuildState.FAILED.value, ~was_built, ~was_tried_again())
    counts = (is_no_notice, or_(was_built, has_failed, rebuilds.c.state == RebuildState.MERGED.value))
    several = homes & with_parts
    newest = [
        select(func.max(rebuilds.c.id))
        .where(*counts, rebuilds.c.repository_id.in_(sorted(homes - several)))
        .group_by(rebuilds.c.repository_id),
        _newest_for_bases(connection).where(*counts, rebuilds.c.repository_id.in_(sorted(several))),
    ]
    rows = await connection.execute(
        select(
            *(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.state, rebuilds.c.targets, rebuilds.c.built_at),
            *(rebuilds.c.attempted_at, rebuilds.c.merged_at, rebuilds.c.proof, rebuilds.c.ended_at),
        )
        .where(or_(*(rebuilds.c.id.in_(each) for each in newest)))
        .order_by(rebuilds.c.id)
    )
    return rows.all()


def _newest_for_bases(connection: AsyncConnection) -> Select[tuple[int]]:
    """The newest rebuild of each repository for each base that any is for, and for none: so many rows as there are
    bases, however many rebuilds have ended."""
    text = cast(rebuilds.c.targets, Text)
    base: ColumnElement[Any]
    if connection.dialect.name == "postgresql":
        is_list = func.json_typeof(rebuilds.c.targets) == "array"
        array = cast(case((is_list, text), else_="[]"), postgresql.JSON)
        target: Any = func.json_array_elements(array).table_valued(column("value", postgresql.JSON))
        base = cast(target.c.value["base"], Text)
    else:
        is_list = and_(func.json_valid(text), func.json_type(text) == "array")
        target = func.json_each(case((is_list, text), else_="[]")).table_valued("value", "type")
        base = case((target.c.type == "object", func.json_extract(target.c.value, "$.base")))
    return (
        select(func.max(rebuilds.c.id))
        .select_from(rebuilds.outerjoin(target, true()))
        .group_by(rebuilds.c.repository_id, base)
    )


def _last_build(image: Image, row: Any, parts: Mapping[int, RepositoryImages]) -> LastBuild:
    targets = load(row.targets, tuple[Target, ...])
    if image.repository in parts:
        image_bases = parts[image.repository].bases.get(image, frozenset())
        targets = tuple(target for target in targets if target.base in image_bases)
    return LastBuild(row.merged_at or row.attempted_at, targets, row.built_at)
