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
from bot.images.told_platforms import ToldPlatform
from bot.store.engine.inserting import chunks
from bot.store.pages.ledger.told_platforms import HeldPackages, inventory_rows, read_held, told_platform
from bot.store.rows.images.artifact_reads import artifact_reads
from bot.store.rows.images.gates import gates, let_through
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventories, shown_last
from bot.store.rows.inventories.sboms import later_indexes, sbom_looks
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds


@dataclass(frozen=True, slots=True)
class ShownInventories:
    """What an image shows, or showed, on each platform, by the rows of inventories; `digest` is its index's, empty
    where that is not known."""

    image: int
    digest: str
    inventories: Mapping[str, int] = field(default_factory=dict)


async def shown_now(connection: AsyncConnection, some: Collection[int]) -> dict[int, ShownInventories]:
    """What images, by their ids, were seen with last."""
    found: dict[int, ShownInventories] = {}
    for ids in chunks(sorted(some)):
        rows = await connection.execute(
            select(images.c.id, images.c.digest, image_inventories.c.platform, image_inventories.c.inventory_id)
            .outerjoin(image_inventories, image_inventories.c.image_id == images.c.id)
            .where(images.c.id.in_(ids), images.c.digest.is_not(None))
        )
        found |= _shown(rows)
    return found


async def shown_before(connection: AsyncConnection, some: Collection[int]) -> dict[int, ShownInventories]:
    """What the gate let through last; where it never judged, or could not tell, what was shown before.

    None for an image that it holds back and before which nothing is known.
    """
    found: dict[int, ShownInventories] = {}
    before = inventories.alias("before")
    for ids in chunks(sorted(some)):
        rows = await connection.execute(
            select(
                let_through.c.image_id, let_through.c.digest, let_through.c.platform, let_through.c.inventory_id
            ).where(let_through.c.image_id.in_(ids))
        )
        found |= _shown(rows)
        rest = [each for each in ids if each not in found]
        followed = await connection.execute(
            select(
                *(image_inventories.c.image_id, func.coalesce(sbom_looks.c.index_digest, "").label("digest")),
                *(image_inventories.c.platform, before.c.id),
            )
            .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
            .join(before, before.c.id == shown_last())
            .outerjoin(sbom_looks, sbom_looks.c.inventory_id == before.c.id)
            .outerjoin(gates, gates.c.image_id == image_inventories.c.image_id)
            .where(
                image_inventories.c.image_id.in_(rest),
                gates.c.outcome.is_distinct_from(GateOutcome.BLOCKED.value),
            )
        )
        found |= _shown(followed)
    return found


def _shown(rows: Iterable[Any]) -> dict[int, ShownInventories]:
    found: dict[int, ShownInventories] = {}
    for image, digest, platform, inventory in rows:
        one = found.get(image) or ShownInventories(image, digest)
        more = {} if platform is None else {platform: inventory}
        found[image] = ShownInventories(image, one.digest, {**one.inventories, **more})
    return found


async def told_images(connection: AsyncConnection, some: Collection[int]) -> dict[int, ToldImage]:
    """All that is told of these images, by their ids; those that were never seen are left out."""
    now, before = await shown_now(connection, some), await shown_before(connection, some)
    states = await _states(connection, some)
    numbers = {each for shown in (*now.values(), *before.values()) for each in shown.inventories.values()}
    rows = await inventory_rows(connection, numbers)
    held = await read_held(connection, rows)
    digests = {image: _digests(shown, rows) for image, shown in now.items()}
    indexes = await _indexes(connection, {each for shown in before.values() for each in shown.inventories.values()})
    earlier = {image: _digests(shown, rows) | _shared(shown, indexes) for image, shown in before.items()}
    heard: dict[str, set[int]] = {}
    for image, named in (*digests.items(), *earlier.items()):
        for digest in named:
            heard.setdefault(digest, set()).add(states[image].repository)
    kept = await reports_about(connection, heard)
    found: dict[int, ToldImage] = {}
    for image, shown in now.items():
        state = states[image]
        was = before.get(image)
        found[image] = ToldImage(
            image,
            shown.digest,
            digests[image],
            _platforms(shown, rows, held),
            None if was is None else _platforms(was, rows, held),
            state.owed,
            _reports(kept, digests[image], state.repository),
            _reports(kept, earlier.get(image, frozenset()), state.repository),
            was is None and not state.is_judged and not state.is_proving,
            _damaged(kept, digests[image], state.repository),
            state.has_unread_artifacts,
        )
    return found


@dataclass(frozen=True, slots=True)
class _State:
    repository: int
    owed: frozenset[VulnerabilityKey]
    is_judged: bool
    is_proving: bool
    has_unread_artifacts: bool


async def _states(connection: AsyncConnection, some: Collection[int]) -> dict[int, _State]:
    proving = (
        select(rebuilds.c.id)
        .where(rebuilds.c.repository_id == images.c.repository_id, rebuilds.c.state == RebuildState.PROVING.value)
        .exists()
    )
    asked = (proving.label("is_proving"), or_(*_unread()).label("is_unread"))
    found: dict[int, _State] = {}
    for ids in chunks(sorted(some)):
        rows = await connection.execute(
            select(images.c.id, images.c.repository_id, gates.c.owed, gates.c.outcome, *asked)
            .outerjoin(gates, gates.c.image_id == images.c.id)
            .where(images.c.id.in_(ids))
        )
        for row in rows:
            owed = frozenset((str(one), str(other)) for one, other in row.owed or ())
            is_judged = row.outcome not in (None, GateOutcome.UNKNOWN.value)
            flags = (is_judged, bool(row.is_proving), bool(row.is_unread))
            found[row.id] = _State(row.repository_id, owed, *flags)
    return found


def _unread() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a rebuild under way, or a step of it that has ended, has artifacts that were not looked through."""
    read = select(artifact_reads.c.id).where(artifact_reads.c.read_at.is_not(None))
    going = (
        rebuilds.c.repository_id == images.c.repository_id,
        rebuilds.c.state.in_([RebuildState.PROVING.value, RebuildState.STEPPING.value]),
    )
    of_build = select(rebuilds.c.id).where(
        *going, rebuilds.c.built_by.is_not(None), ~read.where(artifact_reads.c.rebuild_id == rebuilds.c.id).exists()
    )
    of_step = (
        select(steps.c.id)
        .join(rebuilds, rebuilds.c.id == steps.c.rebuild_id)
        .where(
            *(*going, steps.c.run.is_not(None), steps.c.state == StepState.SUCCEEDED.value),
            ~read.where(artifact_reads.c.step_id == steps.c.id).exists(),
        )
    )
    return of_build.exists(), of_step.exists()


def _platforms(shown: ShownInventories, rows: Mapping[int, Any], held: HeldPackages) -> tuple[ToldPlatform, ...]:
    known = ((platform, rows.get(number)) for platform, number in sorted(shown.inventories.items()))
    return tuple(told_platform(platform, row, held) for platform, row in known if row is not None)


def _digests(shown: ShownInventories, rows: Mapping[int, Any]) -> frozenset[str]:
    of_platforms = [rows[number] for number in shown.inventories.values() if number in rows]
    named = {name for row in of_platforms for name in (row.digest, row.config_digest)}
    return frozenset(each for each in {shown.digest, *named} if each)


async def _indexes(connection: AsyncConnection, some: Collection[int]) -> dict[int, set[str]]:
    """All indexes that inventories are known to have been shown under."""
    found: dict[int, set[str]] = {}
    for ids in chunks(sorted(some)):
        each = (
            select(table.c.inventory_id, table.c.index_digest).where(table.c.inventory_id.in_(ids))
            for table in (sbom_looks, later_indexes)
        )
        for row in await connection.execute(union_all(*each)):
            found.setdefault(row.inventory_id, set()).add(row.index_digest)
    return found


def _shared(shown: ShownInventories, indexes: Mapping[int, Collection[str]]) -> frozenset[str]:
    """The indexes under which all of it was shown."""
    of_each = [frozenset(indexes.get(number, ())) for number in shown.inventories.values()]
    return frozenset.intersection(*of_each) if of_each else frozenset()


def _reports(kept: Sequence[KeptAbout], digests: Collection[str], repository: int) -> tuple[KeptReport, ...]:
    """Those about these digests, of operators or of that repository's workflows, the last scan first."""
    heard = _heard(kept, digests, repository)
    found = {each.number: each.report for each in heard if each.report is not None}
    return tuple(sorted(found.values(), key=lambda each: each.scanned_at, reverse=True))


def _damaged(kept: Sequence[KeptAbout], digests: Collection[str], repository: int) -> tuple[str, ...]:
    heard = _heard(kept, digests, repository)
    return tuple(sorted({each.place for each in heard if each.report is None}))


def _heard(kept: Sequence[KeptAbout], digests: Collection[str], repository: int) -> list[KeptAbout]:
    return [each for each in kept if each.digest in digests and each.repository in (None, repository)]
