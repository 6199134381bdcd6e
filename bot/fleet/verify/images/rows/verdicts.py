"""Verdicts of signed statements that rows hold: once one has ended it is shown as not proved, and made anew."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.images.standing import Declaration, ImageStanding, behind_since, state_of
from bot.domain.packages.package import SbomOrigin
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, lock
from bot.store.rows.images.images import images, standings_of
from bot.store.rows.inventories.inventories import inventories, sbom_looks, sboms

Mark = Callable[[str], str | None]
"""The mark of who may sign statements about `registry/name` now; None where nobody may."""

_Declared = dict[str, tuple[Declaration, ...]]
_AGAIN = "it was proved, and whether its signature still holds is judged again"
_BRING_AGAIN = "it was proved, by whom is not trusted any more or until then alone; import it again"


class VerdictsStore(Store):
    """What images and SBOMs rest on signatures for. A verdict ends at its time, or once others are trusted."""

    async def lapse(self, mark: Mark) -> int:
        """Takes back what verdicts that have ended have proved, and makes their rows due; how many there were.

        Looks first, so that a tick with nothing to do writes nothing.
        """
        now = self._clock.now()
        async with self._database.reading() as connection:
            image_ids = [row.id for row in await connection.execute(_IMAGES) if _has_ended(row, mark, now)]
            sbom_rows = [row for row in await connection.execute(_SBOMS) if _has_ended(row, mark, now)]
        for part in chunks(image_ids):
            async with self._database.transaction() as connection:
                await _take_back(connection, part, now)
        if sbom_rows:
            async with self._database.transaction() as connection:
                await _doubt(connection, sbom_rows, now)
        return len(image_ids) + len(sbom_rows)


_IMAGES = select(
    images.c.id, images.c.registry, images.c.repository, images.c.judged_by, images.c.judged_until
).where(images.c.judged_by.is_not(None))
_SBOMS = (
    select(
        *(sboms.c.id, sboms.c.inventory_id, sboms.c.origin, sboms.c.judged_by, sboms.c.judged_until),
        *(sbom_looks.c.registry, sbom_looks.c.repository),
    )
    .join(sbom_looks, sbom_looks.c.inventory_id == sboms.c.inventory_id)
    .where(sboms.c.judged_by.is_not(None))
)


def _has_ended(row: Any, mark: Mark, now: datetime) -> bool:
    is_over = row.judged_until is not None and row.judged_until <= now
    return is_over or bool(row.judged_by != mark(f"{row.registry}/{row.repository}"))


async def _take_back(connection: AsyncConnection, ids: Sequence[int], now: datetime) -> None:
    """What provenance alone has proved is claimed, and nobody is told to have built the image."""
    await lock(connection, images, ids)
    query = select(images.c.id, images.c.declared, images.c.standings, images.c.law).where(images.c.id.in_(ids))
    rows = (await connection.execute(query)).all()
    for number, claimed in readable(
        rows, lambda row: (row.id, _columns_unproved(row)), lambda row: f"image {row.id}"
    ):
        values = {**claimed, "builder": None, "judged_by": None, "judged_until": None, "due_at": now}
        await connection.execute(update(images).where(images.c.id == number).values(**values))


def _columns_unproved(row: Any) -> Mapping[str, Any]:
    """The columns of what an image stands on, where no signature around provenance counts."""
    declarations_by_platform: Mapping[str, tuple[Declaration, ...]] = load(row.declared, _Declared)
    standings = tuple(each.unsigned for each in standings_of(row))
    unsigned = {
        platform: tuple(declaration.unsigned for declaration in declarations)
        for platform, declarations in declarations_by_platform.items()
    }
    return {
        "declared": dump(unsigned, _Declared),
        "standings": dump(standings, tuple[ImageStanding, ...]),
        "behind_since": behind_since(standings),
        "state": state_of(standings).value,
    }


async def _doubt(connection: AsyncConnection, sbom_rows: Sequence[Any], now: datetime) -> None:
    """Nobody has proved them any more. The registry is asked again for those that it shows."""
    await lock(connection, inventories, {row.inventory_id for row in sbom_rows})
    for part in chunks(sorted({row.inventory_id for row in sbom_rows if row.origin != SbomOrigin.FILE.value})):
        statement = update(sbom_looks).where(sbom_looks.c.inventory_id.in_(part))
        await connection.execute(statement.values(looked_at=None, is_last=False, due_at=now))
    for row in sbom_rows:
        doubt = _BRING_AGAIN if row.origin == SbomOrigin.FILE.value else _AGAIN
        unproved = {"strength": Strength.CLAIMED.value, "told": doubt, "judged_by": None, "judged_until": None}
        await connection.execute(update(sboms).where(sboms.c.id == row.id).values(**unproved))
