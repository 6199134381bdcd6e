"""What the gate says of images: of a page of them, of the fleet, and what nobody has fixed."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.cves.detected import DetectedVulnerability
from bot.domain.packages.cves.marks import NO_MARK
from bot.domain.packages.gate import Gated, GateMode, GateOutcome
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, readable
from bot.store.rows.images.gates import gates
from bot.store.rows.images.images import images
from bot.store.rows.inventories.marks import read_marks
from bot.views.images.images import GateView, Unfixed

_COLUMNS = tuple(
    gates.c[name] for name in ("image_id", "mode", "outcome", "told", "blocking", "unfixed", "judged_at")
)


async def gates_of(connection: AsyncConnection, image_ids: Collection[int] | None = None) -> dict[int, GateView]:
    """Reads what the gate says of these images, by their ids; of all where None is given."""
    mine = () if image_ids is None else (is_among(gates.c.image_id, "images"),)
    query = select(*_COLUMNS).where(gates.c.outcome.is_not(None), *mine)
    rows = await connection.execute(query, {"images": image_ids})
    return dict(readable(rows, _view, lambda row: f"gate {row.image_id}"))


def _view(row: Any) -> tuple[int, GateView]:
    mode, outcome = GateMode(row.mode), GateOutcome(row.outcome)
    return row.image_id, GateView(mode, outcome, row.told, row.blocking, row.unfixed, row.judged_at)


async def count_gates(connection: AsyncConnection) -> Mapping[GateOutcome, int]:
    """Counts of how many images the gate says what; empty where nothing is asked of any."""
    rows = await connection.execute(
        select(gates.c.outcome, func.count().label("number"))
        .where(gates.c.outcome.is_not(None))
        .group_by(gates.c.outcome)
    )
    pairs = readable(rows, lambda row: (GateOutcome(row.outcome), row.number), lambda row: f"gates {row.outcome}")
    numbers = dict(pairs)
    return {each: numbers.get(each, 0) for each in GateOutcome} if numbers else {}


async def unfixed_in(connection: AsyncConnection, *mine: ColumnElement[bool]) -> tuple[Unfixed, ...]:
    """What nobody has fixed: what is exploited first, then the most severe and what most images have; `mine` are
    conditions on the images."""
    rows = await connection.execute(
        select(gates.c.image_id, gates.c.gated)
        .join(images, images.c.id == gates.c.image_id)
        .where(gates.c.unfixed > 0, *mine)
    )
    by_id: dict[str, list[tuple[int, DetectedVulnerability]]] = {}
    gated_images = readable(
        rows, lambda row: (row.image_id, load(row.gated, Gated)), lambda row: f"gate {row.image_id}"
    )
    for image, gated in gated_images:
        for vulnerability in gated.unfixed:
            by_id.setdefault(vulnerability.id, []).append((image, vulnerability))
    marks = await read_marks(connection, by_id)
    unfixed = [
        Unfixed(
            name,
            max((each.severity for _, each in several), key=lambda severity: severity.rank),
            tuple(sorted({each.package for _, each in several})),
            len({image for image, _ in several}),
            marks.get(name, NO_MARK),
        )
        for name, several in by_id.items()
    ]
    return tuple(sorted(unfixed, key=_worst_first))


def _worst_first(each: Unfixed) -> tuple[bool, int, int, str]:
    return not each.mark.is_exploited, -each.severity.rank, -each.images, each.id
