"""SBOMs by hand: a file that is kept for an image, and what a registry shows beside what the layers do."""

from dataclasses import dataclass, replace
from pathlib import Path

from bot.commands.images.packages import read_file
from bot.commands.images.registry_image import open_image, opened_registries
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.changes import PackageChange, package_changes
from bot.domain.packages.package import ImagePlace, Inventory, Sbom, SbomOrigin
from bot.domain.platform import usual_name
from bot.domain.reference import InvalidReference, Reference
from bot.fleet.verify.inventory.rows.inventory import InventoryStore
from bot.fleet.verify.inventory.rows.sboms import FleetImage, SbomStore
from bot.fleet.wiring.registries.beside import judge_of
from bot.images.packages.image import choose_digest
from bot.images.provenance.statement import Statement, read_statement
from bot.images.sbom.collecting import attached_sbom, plain_sbom, sboms_of
from bot.images.sbom.reading import LARGEST_SBOM, read_sbom, the_sbom
from bot.images.signatures.verdict import Refused, Remembered
from bot.images.trust.collecting import AttachedDocument, LookedOnce
from bot.images.trust.judging import Judge
from bot.images.trust.stating import statement_of
from bot.service.opened_stores import opened_stores
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class ImportedSbom:
    """What was kept, for which image; `differences` are what it lists other than the layers show, None where these
    are not read."""

    image: str
    platform: str
    sbom: Sbom
    differences: tuple[PackageChange, ...] | None


async def import_sbom(
    settings: Settings, file: Path, image: str, platform: str | None, clock: Clock
) -> ImportedSbom:
    """Keeps an SBOM for what an image of the fleet showed last.

    Raises `Failure` where the file is no SBOM or about another image, and where no such image is known.
    """
    reference = _reference(image)
    text = the_sbom(read_file(file, LARGEST_SBOM), str(file))
    read_sbom(text, str(file))
    async with opened_stores(settings, clock) as stores:
        fleet_image = _chosen(await stores[SbomStore].images_shown(reference), reference, platform)
        judge = judge_of(settings.trust, fleet_image.place.name, clock.now(), Remembered())
        sbom = _of_file(text, file, fleet_image.place, judge)
        await stores[SbomStore].import_sbom(fleet_image.inventory, sbom)
        layers_inventory = await stores[InventoryStore].known_inventory(fleet_image.inventory)
    differences = (
        None if layers_inventory is None else package_changes(layers_inventory.packages, sbom.inventory.packages)
    )
    return ImportedSbom(str(reference), fleet_image.platform, sbom, differences)


def _reference(text: str) -> Reference:
    try:
        return Reference.parse(text)
    except InvalidReference as error:
        advice = "write registry/name:tag or registry/name@digest"
        raise Failure(Trouble.MALFORMED, str(error), where="--image", advice=advice) from None


def _chosen(images: list[FleetImage], reference: Reference, platform: str | None) -> FleetImage:
    if not images:
        fault, advice = "the fleet shows no such image", "freshness-bot images lists those that it does"
        raise Failure(Trouble.MISSING, fault, where=str(reference), advice=advice)
    fitting = [each for each in images if platform in (None, usual_name(each.platform))]
    if len(fitting) == 1:
        return fitting[0]
    offered = ", ".join(each.platform for each in images)
    fault = f"it is there for {offered}"
    raise Failure(Trouble.MALFORMED, fault, where=str(reference), advice="say with --platform which is meant")


def _of_file(text: bytes, file: Path, place: ImagePlace, judge: Judge) -> Sbom:
    document = AttachedDocument("sigstore", text, "")
    statement = statement_of(document) or _bare_statement(text)
    if statement is None:
        return plain_sbom(text, SbomOrigin.FILE)
    if not any(statement.is_about(digest) for digest in place.digests):
        digest_named = next(
            (digest for subject in statement.subjects for digest in sorted(subject.digests)), "nothing"
        )
        fault = f"is about {digest_named}, and the image is {place.digest}"
        raise Failure(Trouble.MALFORMED, fault, where=str(file), advice="name the image that it is about")
    attached = next(iter(attached_sbom(document, place.digests, judge)), None)
    if attached is None:
        return plain_sbom(text, SbomOrigin.FILE)
    return replace(attached, origin=SbomOrigin.FILE)


def _bare_statement(text: bytes) -> Statement | None:
    try:
        return read_statement(text)
    except Refused:
        return None


@dataclass(frozen=True, slots=True)
class ComparedSbom:
    """An SBOM beside an image, and what it lists other than the layers show."""

    sbom: Sbom
    differences: tuple[PackageChange, ...]


async def sboms_beside(
    settings: Settings, image: Reference, platform: str | None, inventory: Inventory, clock: Clock
) -> list[ComparedSbom]:
    """The SBOMs that the registry shows for an image, compared with what its layers hold. Raises `Failure`."""
    async with opened_registries(settings, clock) as registry:
        opened = await open_image(registry, image)
        digest = await choose_digest(opened.start, opened.digest, opened.blobs, platform)
        place = ImagePlace(image.registry, image.repository, digest, opened.digest)
        judge = judge_of(settings.trust, place.name, clock.now(), Remembered())
        sboms = await sboms_of(LookedOnce(registry, clock), place, judge)
    return [ComparedSbom(each, package_changes(inventory.packages, each.inventory.packages)) for each in sboms]
