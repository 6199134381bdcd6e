"""What is told of the fleet's images for the gate: what each holds now, and what the one before it held."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.packages.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import GateOutcome, VulnerabilityKey
from bot.domain.packages.package import Distribution, Package
from bot.domain.packages.vulnerability import ANY_RELEASE, release_of
from bot.domain.rollouts.rebuild import State
from bot.domain.rollouts.steps import StepState
from bot.store.engine.codec import load
from bot.store.engine.inserting import chunks
from bot.store.engine.readable import readable
from bot.store.pages.ledger.exposed import Exposed, Exposure, read_exposures_of
from bot.store.rows.images.artifact_reads import artifact_reads
from bot.store.rows.images.gates import gates, let_through
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_packages,
    package_of,
    packages,
)
from bot.store.rows.inventories.sboms import sbom_looks, sbom_packages, sboms
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.stages.verify.scan_reports import KeptAbout, reports_about
from bot.verify.gating.ports import ToldImage, ToldPlatform
from bot.verify.sbom.package_url import package_url
from bot.verify.scan_reports import KeptReport

_UNREADABLE = "what is stored of them is damaged; restore it from a backup"


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
        found |= _shown(rows, found)
    return found


async def shown_before(connection: AsyncConnection, some: Collection[int]) -> dict[int, ShownInventories]:
    """What the gate let through last; where it never judged, or could not tell, what was shown before.

    None for an image that it holds back and before which nothing is known.
    """
    found: dict[int, ShownInventories] = {}
    for ids in chunks(sorted(some)):
        rows = await connection.execute(
            select(
                let_through.c.image_id, let_through.c.digest, let_through.c.platform, let_through.c.inventory_id
            ).where(let_through.c.image_id.in_(ids))
        )
        found |= _shown(rows, found)
        rest = [each for each in ids if each not in found]
        followed = await connection.execute(
            select(
                *(image_inventories.c.image_id, func.coalesce(sbom_looks.c.index_digest, "").label("digest")),
                *(image_inventories.c.platform, inventories.c.previous_id),
            )
            .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
            .outerjoin(sbom_looks, sbom_looks.c.inventory_id == inventories.c.previous_id)
            .outerjoin(gates, gates.c.image_id == image_inventories.c.image_id)
            .where(
                image_inventories.c.image_id.in_(rest),
                inventories.c.previous_id.in_(select(inventories.c.id)),
                gates.c.outcome.is_distinct_from(GateOutcome.BLOCKED.value),
            )
        )
        found |= _shown(followed, found)
    return found


def _shown(rows: Iterable[Any], known: Mapping[int, ShownInventories]) -> dict[int, ShownInventories]:
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
    rows = await _inventories(connection, numbers)
    held = await _held(connection, rows)
    digests = {image: _digests(shown, rows) for image, shown in (*now.items(),)}
    earlier = {image: _digests(shown, rows) for image, shown in before.items()}
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
        .where(rebuilds.c.repository_id == images.c.repository_id, rebuilds.c.state == State.PROVING.value)
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
        rebuilds.c.state.in_([State.PROVING.value, State.STEPPING.value]),
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


@dataclass(slots=True)
class _Held:
    """What inventories and SBOMs list, by package rows, and what those are exposed to."""

    listed: dict[int, list[int]] = field(default_factory=dict)
    sboms: dict[int, "_Listed"] = field(default_factory=dict)
    packages: dict[int, Package] = field(default_factory=dict)
    exposed: Exposed = field(default_factory=Exposed)


@dataclass(frozen=True, slots=True)
class _Listed:
    strength: Strength
    distribution: Distribution | None
    problems: tuple[str, ...]
    packages: tuple[int, ...]


async def _inventories(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(select(inventories).where(inventories.c.id.in_(ids)))
        found |= {row.id: row for row in rows}
    return found


async def _held(connection: AsyncConnection, rows: Mapping[int, Any]) -> _Held:
    held = _Held()
    for ids in chunks(sorted(rows)):
        pairs = await connection.execute(
            select(inventory_packages.c.inventory_id, inventory_packages.c.package_id).where(
                inventory_packages.c.inventory_id.in_(ids)
            )
        )
        for inventory, package in pairs:
            held.listed.setdefault(inventory, []).append(package)
    unread = [number for number, row in rows.items() if row.read_at is None or not row.is_complete]
    held.sboms = await _best_sboms(connection, unread)
    numbers = {each for listed in held.listed.values() for each in listed}
    numbers |= {each for sbom in held.sboms.values() for each in sbom.packages}
    for ids in chunks(sorted(numbers)):
        found = await connection.execute(select(packages).where(packages.c.id.in_(ids)))
        held.packages |= {row.id: package_of(row) for row in found}
    held.exposed = await read_exposures_of(connection, numbers)
    return held


async def _best_sboms(connection: AsyncConnection, some: Sequence[int]) -> dict[int, _Listed]:
    """Of each inventory that layers do not tell: an SBOM that is proved before one that is claimed."""
    best: dict[int, Any] = {}
    for ids in chunks(sorted(some)):
        for row in await connection.execute(
            select(sboms).where(sboms.c.inventory_id.in_(ids)).order_by(sboms.c.id)
        ):
            known = best.get(row.inventory_id)
            if known is None or _worth(row) > _worth(known):
                best[row.inventory_id] = row
    listed: dict[int, list[int]] = {}
    for ids in chunks(sorted(row.id for row in best.values())):
        pairs = await connection.execute(select(sbom_packages).where(sbom_packages.c.sbom_id.in_(ids)))
        for sbom, package in pairs:
            listed.setdefault(sbom, []).append(package)
    told = readable(
        best.values(), lambda row: (row.inventory_id, _listed(row, listed)), lambda row: f"SBOM {row.id}"
    )
    return dict(told)


def _listed(row: Any, listed: Mapping[int, Sequence[int]]) -> _Listed:
    distribution = load(row.distribution, Distribution) if row.distribution is not None else None
    return _Listed(Strength(row.strength), distribution, tuple(row.problems), tuple(listed.get(row.id, ())))


def _worth(row: Any) -> tuple[bool, bool]:
    return row.strength == Strength.PROVED.value, not row.problems


def _platforms(shown: ShownInventories, rows: Mapping[int, Any], held: _Held) -> tuple[ToldPlatform, ...]:
    found = []
    for platform, number in sorted(shown.inventories.items()):
        if (row := rows.get(number)) is not None:
            told = readable([row], partial(_platform, platform, held=held), _named)
            found += told or [ToldPlatform(platform, error=_UNREADABLE)]
    return tuple(found)


def _named(row: Any) -> str:
    return f"inventory {row.id}"


def _platform(platform: str, row: Any, held: _Held) -> ToldPlatform:
    sbom = held.sboms.get(row.id)
    if row.read_at is None and sbom is None:
        return ToldPlatform(platform, error=row.error)
    distribution = load(row.distribution, Distribution) if row.distribution is not None else None
    numbers, problems, by_sbom = list(held.listed.get(row.id, ())), tuple(row.problems or ()), None
    if sbom is not None:
        numbers += [each for each in sbom.packages if each not in numbers]
        distribution = distribution or sbom.distribution
        problems, by_sbom = sbom.problems, sbom.strength
    release = release_of(distribution)
    found: list[DetectedVulnerability] = []
    uncertain: list[DetectedVulnerability] = []
    for number in numbers:
        for each in held.exposed.by_package.get(number, ()):
            if each.affected.release in (ANY_RELEASE, release):
                told = found if each.is_certain else uncertain
                told.append(_detected(each, held.exposed, distribution))
    names = tuple(held.packages[number] for number in numbers if number in held.packages)
    return ToldPlatform(platform, names, distribution, problems, None, by_sbom, tuple(found), tuple(uncertain))


def _detected(exposure: Exposure, exposed: Exposed, distribution: Distribution | None) -> DetectedVulnerability:
    facts, package = exposed.cves.get(exposure.cve), exposure.package
    return DetectedVulnerability(
        exposure.cve,
        package.name,
        package.version,
        exposure.fixed_in,
        Rating.of(facts.severity if facts is not None else None),
        exposure.affected.has_fix,
        package_url(package, distribution) or "",
    )


def _digests(shown: ShownInventories, rows: Mapping[int, Any]) -> frozenset[str]:
    of_platforms = [rows[number] for number in shown.inventories.values() if number in rows]
    named = {name for row in of_platforms for name in (row.digest, row.config_digest)}
    return frozenset(each for each in {shown.digest, *named} if each)


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
