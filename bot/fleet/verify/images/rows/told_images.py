"""What is told of the fleet's images for the gate: what each holds now, and what the one before it held."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.cves.detected import VulnerabilityKey
from bot.domain.packages.gate import GateOutcome
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.steps import StepState
from bot.fleet.verify.gating.ports import ToldImage
from bot.fleet.verify.reports.rows.scan_reports import KeptAbout, reports_about
from bot.images.scan_reports import KeptReport
from bot.images.vulnerabilities import ToldPlatform
from bot.store.engine.writing import chunks
from bot.store.pages.ledger.told_platforms import HeldPackages, inventory_rows, read_held, told_platform
from bot.store.rows.images.gates import gates, let_through
from bot.store.rows.images.images import images
from bot.store.rows.images.scan_reports import artifact_reads
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    later_indexes,
    sbom_looks,
    shown_last,
)
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds


@dataclass(frozen=True, slots=True)
class ShownInventories:
    """What an image shows, or showed, on each platform, by the rows of inventories; `digest` is its index's, empty
    where that is not known."""

    image: int
    digest: str
    inventories: Mapping[str, int] = field(default_factory=dict)


async def shown_now(connection: AsyncConnection, image_ids: Collection[int]) -> dict[int, ShownInventories]:
    """Reads the inventories that images, by their ids, were seen with last."""
    shown_by_image: dict[int, ShownInventories] = {}
    for ids in chunks(sorted(image_ids)):
        rows = await connection.execute(
            select(images.c.id, images.c.digest, image_inventories.c.platform, image_inventories.c.inventory_id)
            .outerjoin(image_inventories, image_inventories.c.image_id == images.c.id)
            .where(images.c.id.in_(ids), images.c.digest.is_not(None))
        )
        shown_by_image |= _shown_by_image(rows)
    return shown_by_image


async def shown_before(connection: AsyncConnection, image_ids: Collection[int]) -> dict[int, ShownInventories]:
    """What the gate let through last; where it never judged, or could not tell, what was shown before.

    None for an image that it holds back and before which nothing is known.
    """
    shown_by_image: dict[int, ShownInventories] = {}
    before = inventories.alias("before")
    for ids in chunks(sorted(image_ids)):
        rows = await connection.execute(
            select(
                let_through.c.image_id, let_through.c.digest, let_through.c.platform, let_through.c.inventory_id
            ).where(let_through.c.image_id.in_(ids))
        )
        shown_by_image |= _shown_by_image(rows)
        other_ids = [each for each in ids if each not in shown_by_image]
        result = await connection.execute(
            select(
                *(image_inventories.c.image_id, func.coalesce(sbom_looks.c.index_digest, "").label("digest")),
                *(image_inventories.c.platform, before.c.id),
            )
            .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
            .join(before, before.c.id == shown_last())
            .outerjoin(sbom_looks, sbom_looks.c.inventory_id == before.c.id)
            .outerjoin(gates, gates.c.image_id == image_inventories.c.image_id)
            .where(
                image_inventories.c.image_id.in_(other_ids),
                gates.c.outcome.is_distinct_from(GateOutcome.BLOCKED.value),
            )
        )
        shown_by_image |= _shown_by_image(result)
    return shown_by_image


def _shown_by_image(rows: Iterable[Any]) -> dict[int, ShownInventories]:
    shown_by_image: dict[int, ShownInventories] = {}
    for image, digest, platform, inventory in rows:
        showing = shown_by_image.get(image) or ShownInventories(image, digest)
        more = {} if platform is None else {platform: inventory}
        shown_by_image[image] = ShownInventories(image, showing.digest, {**showing.inventories, **more})
    return shown_by_image


async def told_images(connection: AsyncConnection, image_ids: Collection[int]) -> dict[int, ToldImage]:
    """All that is told of these images, by their ids; those that were never seen are left out."""
    now, before = await shown_now(connection, image_ids), await shown_before(connection, image_ids)
    states = await _states(connection, image_ids)
    numbers = {each for showing in (*now.values(), *before.values()) for each in showing.inventories.values()}
    rows = await inventory_rows(connection, numbers)
    held_packages = await read_held(connection, rows)
    digests = {image: _digests(showing, rows) for image, showing in now.items()}
    indexes = await _indexes(
        connection, {each for showing in before.values() for each in showing.inventories.values()}
    )
    earlier = {
        image: _digests(showing, rows) | _shared_indexes(showing, indexes) for image, showing in before.items()
    }
    repositories_by_digest: dict[str, set[int]] = {}
    for image, image_digests in (*digests.items(), *earlier.items()):
        for digest in image_digests:
            repositories_by_digest.setdefault(digest, set()).add(states[image].repository)
    reports = await reports_about(connection, repositories_by_digest)
    facts_by_image: dict[int, ToldImage] = {}
    for image, showing in now.items():
        state = states[image]
        was = before.get(image)
        facts_by_image[image] = ToldImage(
            image,
            showing.digest,
            digests[image],
            _platforms(showing, rows, held_packages),
            None if was is None else _platforms(was, rows, held_packages),
            state.owed,
            _reports_of(reports, digests[image], state.repository),
            _reports_of(reports, earlier.get(image, frozenset()), state.repository),
            was is None and not state.is_judged and not state.is_proving,
            _damaged_reports(reports, digests[image], state.repository),
            state.has_unread_artifacts,
        )
    return facts_by_image


@dataclass(frozen=True, slots=True)
class _GateState:
    repository: int
    owed: frozenset[VulnerabilityKey]
    is_judged: bool
    is_proving: bool
    has_unread_artifacts: bool


async def _states(connection: AsyncConnection, image_ids: Collection[int]) -> dict[int, _GateState]:
    proving = (
        select(rebuilds.c.id)
        .where(rebuilds.c.repository_id == images.c.repository_id, rebuilds.c.state == RebuildState.PROVING.value)
        .exists()
    )
    flag_columns = (proving.label("is_proving"), or_(*_unread_artifacts()).label("is_unread"))
    states: dict[int, _GateState] = {}
    for ids in chunks(sorted(image_ids)):
        rows = await connection.execute(
            select(images.c.id, images.c.repository_id, gates.c.owed, gates.c.outcome, *flag_columns)
            .outerjoin(gates, gates.c.image_id == images.c.id)
            .where(images.c.id.in_(ids))
        )
        for row in rows:
            owed = frozenset((str(first), str(other)) for first, other in row.owed or ())
            is_judged = row.outcome not in (None, GateOutcome.UNKNOWN.value)
            flags = (is_judged, bool(row.is_proving), bool(row.is_unread))
            states[row.id] = _GateState(row.repository_id, owed, *flags)
    return states


def _unread_artifacts() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a rebuild under way, or a step of it that has ended, has artifacts that were not looked through."""
    reads = select(artifact_reads.c.id).where(artifact_reads.c.read_at.is_not(None))
    going = (
        rebuilds.c.repository_id == images.c.repository_id,
        rebuilds.c.state.in_([RebuildState.PROVING.value, RebuildState.STEPPING.value]),
    )
    of_build = select(rebuilds.c.id).where(
        *going,
        rebuilds.c.built_by.is_not(None),
        ~reads.where(artifact_reads.c.rebuild_id == rebuilds.c.id).exists(),
    )
    of_step = (
        select(steps.c.id)
        .join(rebuilds, rebuilds.c.id == steps.c.rebuild_id)
        .where(
            *(*going, steps.c.run.is_not(None), steps.c.state == StepState.SUCCEEDED.value),
            ~reads.where(artifact_reads.c.step_id == steps.c.id).exists(),
        )
    )
    return of_build.exists(), of_step.exists()


def _platforms(
    showing: ShownInventories, rows: Mapping[int, Any], held_packages: HeldPackages
) -> tuple[ToldPlatform, ...]:
    pairs = ((platform, rows.get(number)) for platform, number in sorted(showing.inventories.items()))
    return tuple(told_platform(platform, row, held_packages) for platform, row in pairs if row is not None)


def _digests(showing: ShownInventories, rows: Mapping[int, Any]) -> frozenset[str]:
    of_platforms = [rows[number] for number in showing.inventories.values() if number in rows]
    names = {name for row in of_platforms for name in (row.digest, row.config_digest)}
    return frozenset(each for each in {showing.digest, *names} if each)


async def _indexes(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, set[str]]:
    """All indexes that inventories are known to have been shown under."""
    indexes: dict[int, set[str]] = {}
    for ids in chunks(sorted(numbers)):
        each = (
            select(table.c.inventory_id, table.c.index_digest).where(table.c.inventory_id.in_(ids))
            for table in (sbom_looks, later_indexes)
        )
        for row in await connection.execute(union_all(*each)):
            indexes.setdefault(row.inventory_id, set()).add(row.index_digest)
    return indexes


def _shared_indexes(showing: ShownInventories, indexes: Mapping[int, Collection[str]]) -> frozenset[str]:
    """The indexes under which all of it was shown."""
    of_each = [frozenset(indexes.get(number, ())) for number in showing.inventories.values()]
    return frozenset.intersection(*of_each) if of_each else frozenset()


def _reports_of(reports: Sequence[KeptAbout], digests: Collection[str], repository: int) -> tuple[KeptReport, ...]:
    """Those about these digests, of operators or of that repository's workflows, the last scan first."""
    heard_reports = _reports_heard(reports, digests, repository)
    by_number = {each.number: each.report for each in heard_reports if each.report is not None}
    return tuple(sorted(by_number.values(), key=lambda each: each.scanned_at, reverse=True))


def _damaged_reports(reports: Sequence[KeptAbout], digests: Collection[str], repository: int) -> tuple[str, ...]:
    heard_reports = _reports_heard(reports, digests, repository)
    return tuple(sorted({each.place for each in heard_reports if each.report is None}))


def _reports_heard(reports: Sequence[KeptAbout], digests: Collection[str], repository: int) -> list[KeptAbout]:
    return [each for each in reports if each.digest in digests and each.repository in (None, repository)]
