"""What images and bases have held of affected packages, by the inventories that followed each other."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, cast, func, literal, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.cves.vulnerability import ANY_RELEASE
from bot.domain.packages.ledger.clocks import Held
from bot.store.engine.among import is_among
from bot.store.engine.codec import readable
from bot.store.engine.writing import chunks
from bot.store.pages.images.found_packages import release_in
from bot.store.pages.ledger.exposed import Exposed, Exposure
from bot.store.rows.bases.tables import bases
from bot.store.rows.inventories.inventories import (
    MOST_BEFORE,
    image_inventories,
    inventories,
    inventory_packages,
    observed_inventories,
    sbom_looks,
    shown_again,
)
from bot.store.rows.inventories.pinned import pinned_inventories

_PACKAGES_AT_ONCE = 10_000
"""So many are asked for in one statement: each statement groups all inventories."""
_INVENTORIES = select(
    *(inventories.c[name] for name in ("id", "previous_id", "seen_at", "read_at", "is_complete")),
    cast(inventories.c.distribution, String).label("distribution"),
)
_KNOWN = _INVENTORIES.where(is_among(inventories.c.id, "inventories"))
_FOLLOWING = _INVENTORIES.where(is_among(inventories.c.previous_id, "inventories"))
_FOLLOWING_AGAIN = _INVENTORIES.where(
    inventories.c.id.in_(
        select(shown_again.c.inventory_id).where(is_among(shown_again.c.previous_id, "inventories"))
    )
)


@dataclass(frozen=True, slots=True)
class Inventoried:
    """An inventory without its packages; `release` is the one under which publishers list them.

    Where not `is_begun`, it may have been shown before it was seen.
    """

    id: int
    previous: int | None
    seen_at: datetime
    is_read: bool
    is_complete: bool
    release: str | None
    is_begun: bool = True


_NOTHING: dict[str, list[Exposure]] = {}


@dataclass(slots=True)
class Histories:
    """Inventories by their ids, and which exposures each of them has, by CVE.

    What an image showed again has another number there than its id: it came after something else.
    """

    known: dict[int, Inventoried] = field(default_factory=dict)
    exposed: dict[int, dict[str, list[Exposure]]] = field(default_factory=dict)
    _again: int = 0

    def held(self, number: int | None, cve: str) -> Held:
        """Whether the image with this inventory has the CVE, and since when not any more."""
        inventory = self.known.get(number) if number is not None else None
        if inventory is None or not inventory.is_read:
            return Held(None, reason="it was not read yet")
        exposures = self.exposed.get(inventory.id, {}).get(cve, ())
        if any(each.is_certain for each in exposures):
            return Held(True)
        if exposures:
            return Held(None, reason=f"the version of {exposures[0].package.name} cannot be compared")
        if not inventory.is_complete:
            return Held(None, reason="not all of it could be read")
        return Held(False, self._free_since(number, cve))

    def added(self, inventory: Inventoried) -> int:
        """The number under which one stands that came after something else for some image."""
        self._again += 1
        self.known[-self._again] = inventory
        return -self._again

    def exposed_now(self, number: int) -> Mapping[str, Sequence[Exposure]]:
        """What it has itself, by CVE, as far as it was read; one object for all that hold the same."""
        inventory = self.known.get(number)
        return self.exposed.get(inventory.id, _NOTHING) if inventory is not None and inventory.is_read else _NOTHING

    def cves_of(self, number: int) -> frozenset[str]:
        """Gives all CVEs that the inventory has, or that one before it had."""
        return frozenset(cve for each in self._back(number) for cve in self.exposed.get(each.id, {}))

    def was_exposed(self, number: int) -> bool:
        """Whether it has any of the CVEs that were asked for, or one before it had."""
        return any(self.exposed.get(each.id) for each in self._back(number))

    def last_exposures(self, number: int, cve: str) -> list[Exposure]:
        """What it has of the CVE, or else what the last one before it had that had any; empty where none had."""
        for inventory in self._back(number):
            if exposures := self.exposed.get(inventory.id, {}).get(cve):
                return exposures
        return []

    def last_seen_with(self, number: int, cve: str) -> datetime | None:
        """When the last of it and those before it that had the CVE was first seen."""
        return next((each.seen_at for each in self._back(number) if self.exposed.get(each.id, {}).get(cve)), None)

    def likeness(self, number: int) -> Hashable:
        """What tells it from an inventory of which the same holds for every CVE, but for when it was seen."""
        first = self.known.get(number)
        state = (first.is_read, first.is_complete) if first is not None else None
        return state, tuple(id(self.exposed.get(each.id)) for each in self._back(number))

    def first_seen_before(self, number: int, moment: datetime | None) -> tuple[bool, ...]:
        """Whether it, and each of those before it, was first seen before then; of none where that is not known."""
        return tuple(moment is not None and each.seen_at < moment for each in self._back(number))

    def brought_fix(self, number: int, cve: str) -> bool:
        """Whether it is the first inventory that is free of the CVE after one that had it."""
        inventory = self.known.get(number)
        return inventory is not None and self.held(number, cve).free_since == inventory.seen_at

    def _free_since(self, number: int | None, cve: str) -> datetime | None:
        """When the first one was seen after the last that had it; None where none had, or one between is not
        known."""
        since = None
        for inventory in self._back(number):
            if self.exposed.get(inventory.id, {}).get(cve):
                return since
            if not (inventory.is_read and inventory.is_complete and inventory.is_begun):
                return None
            since = inventory.seen_at
        return None

    def _back(self, number: int | None) -> Iterable[Inventoried]:
        following = number
        for _ in range(MOST_BEFORE):
            inventory = self.known.get(following) if following is not None else None
            if inventory is None:
                return
            yield inventory
            following = inventory.previous


async def read_histories(connection: AsyncConnection, exposed: Exposed, *, looks_back: bool) -> Histories:
    """All inventories that hold an exposed package, and those that followed them.

    Without `looks_back` the past of bases is left out: it is long, and tells when they had a fix, not who has one.
    """
    histories = Histories()
    holdings = await _read_holdings(connection, exposed, None if looks_back else _without_past_of_bases())
    await _add(connection, histories, holdings)
    _expose(histories, exposed, holdings)
    await _add_following(connection, histories)
    return histories


async def read_histories_of(connection: AsyncConnection, exposed: Exposed, numbers: Collection[int]) -> Histories:
    """Reads the histories of these inventories and no others, some hundred at most."""
    histories = Histories()
    await _add(connection, histories, numbers)
    _expose(histories, exposed, await _read_holdings(connection, exposed, numbers))
    return histories


async def with_past(connection: AsyncConnection, numbers: Collection[int]) -> frozenset[int]:
    """Reads these inventories and those before them, as far as they are still known."""
    columns = (inventories.c.id, inventories.c.previous_id)
    back = select(*columns, literal(0).label("steps")).where(inventories.c.id.in_(numbers)).cte(recursive=True)
    back = back.union_all(
        select(*columns, back.c.steps + 1)
        .select_from(inventories.join(back, back.c.previous_id == inventories.c.id))
        .where(back.c.steps < MOST_BEFORE)
    )
    return frozenset((await connection.scalars(select(back.c.id))).all())


def _expose(histories: Histories, exposed: Exposed, holdings: Mapping[int, frozenset[int]]) -> None:
    """Notes the exposures of what known inventories hold."""
    alike: dict[tuple[frozenset[int], str | None], dict[str, list[Exposure]]] = {}
    for number, holding in holdings.items():
        if number in histories.known:
            release = histories.known[number].release
            if (holding, release) not in alike:
                alike[holding, release] = exposures_by_cve(release, holding, exposed)
            histories.exposed[number] = alike[holding, release]


async def _read_holdings(
    connection: AsyncConnection, exposed: Exposed, scope: Select[Any] | Collection[int] | None
) -> dict[int, frozenset[int]]:
    """The exposed packages that inventories hold.

    Of a large fleet that is millions of pairs and few different sets, since images on one base hold the same: the
    database puts each set together, and each is read once.
    """
    holdings: dict[int, frozenset[int]] = {}
    sets: dict[str, frozenset[int]] = {}
    package_ids = func.aggregate_strings(cast(inventory_packages.c.package_id, String), ",").label("listed")
    for ids in chunks(sorted(exposed.by_package), _PACKAGES_AT_ONCE):
        query = select(inventory_packages.c.inventory_id, package_ids).where(
            inventory_packages.c.package_id.in_(ids)
        )
        if scope is not None:
            query = query.where(inventory_packages.c.inventory_id.in_(scope))
        rows = await connection.execute(query.group_by(inventory_packages.c.inventory_id))
        for number, text in rows.all():
            if text not in sets:
                sets[text] = frozenset(map(int, text.split(",")))
            holdings[number] = holdings[number] | sets[text] if number in holdings else sets[text]
    return holdings


def _without_past_of_bases() -> Select[Any]:
    """All inventories but those that bases alone have shown, and show no more; what manifests pin is among them.

    Images of the fleet are forgotten some days after what came in their place, those of bases after a year. What is
    both has been looked at for SBOMs, as what images show is.
    """
    now = select(observed_inventories.c.inventory_id).join(
        bases, bases.c.observation_id == observed_inventories.c.observation_id
    )
    shown_inventories = union(select(image_inventories.c.inventory_id), now).subquery()
    kept_ids = select(shown_inventories.c.inventory_id)
    before = select(inventories.c.previous_id).where(inventories.c.id.in_(kept_ids))
    pinned = select(pinned_inventories().subquery().c.id)
    of_images = select(sbom_looks.c.inventory_id)
    of_bases = select(observed_inventories.c.inventory_id)
    conditions = (inventories.c.id.in_(ids) for ids in (kept_ids, before, pinned, of_images))
    return select(inventories.c.id).where(or_(inventories.c.id.not_in(of_bases), *conditions))


async def _add(connection: AsyncConnection, histories: Histories, numbers: Collection[int]) -> None:
    rows = await connection.execute(_KNOWN, {"inventories": numbers})
    histories.known |= {each.id: each for each in _read(rows.all())}


async def _add_following(connection: AsyncConnection, histories: Histories) -> None:
    last: Collection[int] = list(histories.known)
    for _ in range(MOST_BEFORE):
        rows = [
            row
            for query in (_FOLLOWING, _FOLLOWING_AGAIN)
            for row in await connection.execute(query, {"inventories": last})
        ]
        following = {each.id: each for each in _read(rows) if each.id not in histories.known}
        if not following:
            return
        histories.known |= following
        last = following.keys()


async def add_shown(connection: AsyncConnection, histories: Histories, numbers: Collection[int]) -> None:
    """Takes in inventories that hold nothing that is exposed: it is worth knowing that they were read."""
    await _add(connection, histories, set(numbers) - histories.known.keys())


def _read(rows: Sequence[Any]) -> list[Inventoried]:
    def inventoried(row: Any) -> Inventoried:
        release = release_in(row.distribution)
        is_read, is_complete = row.read_at is not None, bool(row.is_complete)
        return Inventoried(row.id, row.previous_id, row.seen_at, is_read, is_complete, release)

    return readable(rows, inventoried, lambda row: f"inventory {row.id}")


def exposures_by_cve(release: str | None, holding: Iterable[int], exposed: Exposed) -> dict[str, list[Exposure]]:
    """What holds these packages is exposed to in images of a release, by CVE."""
    exposures: dict[str, list[Exposure]] = {}
    for package in holding:
        for exposure in exposed.by_package[package]:
            if exposure.affected.release in (ANY_RELEASE, release):
                exposures.setdefault(exposure.cve, []).append(exposure)
    return exposures
