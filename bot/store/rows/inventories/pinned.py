"""What manifests pin by digest, of a whole image or of one platform's, and what images have shown since."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, literal, select, true, union

from bot.store.engine.among import is_among
from bot.store.rows.images.images import deployments
from bot.store.rows.inventories.inventories import (
    MOST_BEFORE,
    image_inventories,
    inventories,
    last_again,
    later_indexes,
    sbom_looks,
)

_PINNED = select(deployments.c.digest).where(deployments.c.digest.is_not(None))


def pinned_inventories(*, are_all_read: bool = True) -> CompoundSelect[Any]:
    """Digests that manifests name, each with an inventory that it stands for.

    Of a whole image those of the `platforms` that are given, where not `are_all_read`.
    """
    return _inventories_of(lambda digest: digest.in_(_PINNED), are_all_read=are_all_read)


def inventories_of_builds(*, are_all_read: bool = True) -> CompoundSelect[Any]:
    """The same for the `digests` that are given, whether manifests still name them or not."""
    return _inventories_of(lambda digest: is_among(digest, "digests"), are_all_read=are_all_read)


def _inventories_of(
    is_wanted: Callable[[ColumnElement[Any]], ColumnElement[bool]], *, are_all_read: bool
) -> CompoundSelect[Any]:
    is_read = true() if are_all_read else is_among(inventories.c.platform, "platforms")
    columns = (inventories.c.platform, inventories.c.id)
    of_whole = (
        select(indexes.c.index_digest, *columns, literal(1))
        .join(inventories, inventories.c.id == indexes.c.inventory_id)
        .where(is_wanted(indexes.c.index_digest), is_read)
        for indexes in (sbom_looks, later_indexes)
    )
    of_one = select(inventories.c.digest.label("digest"), *columns, literal(0).label("is_whole")).where(
        is_wanted(inventories.c.digest)
    )
    return union(of_one, *of_whole)


def shown_since_pinned() -> Select[tuple[int]]:
    """The inventories that manifests pin, and what images of the fleet have shown since, as far as it was read.

    By what came in between, an image is known to have had what still runs.
    """
    link = image_inventories.c
    columns = (link.image_id, link.platform, link.inventory_id.label("id"), literal(0).label("steps"))
    back = select(*columns).cte(recursive=True, nesting=True)
    previous_again = last_again(back.c.image_id, back.c.platform, back.c.id).scalar_subquery()
    previous = func.coalesce(previous_again, inventories.c.previous_id)
    back = back.union_all(
        select(back.c.image_id, back.c.platform, previous, back.c.steps + 1)
        .join(inventories, inventories.c.id == back.c.id)
        .where(back.c.steps < MOST_BEFORE)
    )
    pinned_ids = select(pinned_inventories().subquery().c.id)
    first = (
        select(back.c.image_id, back.c.platform, func.max(back.c.steps).label("steps"))
        .where(back.c.id.in_(pinned_ids))
        .group_by(back.c.image_id, back.c.platform)
        .subquery()
    )
    is_since = (
        first.c.image_id == back.c.image_id,
        first.c.platform == back.c.platform,
        back.c.steps <= first.c.steps,
    )
    since = select(back.c.id).join(first, and_(*is_since))
    return select(inventories.c.id).where(
        inventories.c.id.in_(union(since, pinned_ids)), inventories.c.read_at.is_not(None)
    )
