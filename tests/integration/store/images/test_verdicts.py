"""What a signature has proved is not shown as proved once its verdict has ended, and is judged again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from sqlalchemy import update

from bot.domain.bases.image import OCI_INDEX, Head
from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.image import Builder, ProducedImage, SeenImage
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import LAW, Basis, Declaration, ImageState, Publication
from bot.domain.packages.package import Sbom, SbomOrigin
from bot.domain.reference import Base, Reference
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.ports import Below, nothing_below
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.verify.images.rows.verdicts import VerdictsStore
from bot.fleet.verify.images.tick import ImagesOptions, tick
from bot.reconcile.loop import Loop
from bot.store.rows.images.images import images
from tests.integration.store.filling import HOUR, Stores, digest
from tests.integration.store.holding import AMD64, SSL, asked, running, sbom, shows

NAME = "ghcr.io/contoso/shop"
BUILDER = Builder("build.yml", 2, Strength.PROVED, "", "contoso/shop")
SHOWN = digest("b")
"""What the base of `running` shows on the image's platform."""
Mark = Callable[[str], str | None]


def trusting(mark: str | None) -> Mark:
    return lambda name: mark if name == NAME else None


@dataclass
class Attested:
    """A registry with one squashed image, whose provenance tells what it stands on."""

    by: str | None = "ours"
    until: datetime | None = None
    reads: list[str] = field(default_factory=list)

    async def head(self, base: Base) -> Head:
        return Head(digest("e"), OCI_INDEX)

    async def tags(self, registry: str, repository: str) -> Sequence[str]:
        return ()

    def wants_provenance(self, name: str) -> bool:
        return False

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, dict[str, bytes]]:
        return None, {}

    async def unpacked(self, place: Base, layer: str) -> str | None:
        return None

    async def read(self, place: Base, digest: str, named: NamedBases, below: Below = nothing_below) -> SeenImage:
        self.reads.append(digest)
        said = {"linux/amd64": (Declaration(Basis.VERIFIED_PROVENANCE, "aspnet:10.0", frozenset({SHOWN})),)}
        declared, builder = (said, BUILDER) if self.by else ({}, None)
        return SeenImage(
            digest,
            (shows("f"),),
            declared=declared,
            builder=builder,
            judged_by=self.by,
            judged_until=self.until if self.by else None,
        )


@dataclass
class Fleet:
    """One image, looked at by the stage as it is trusted."""

    stores: Stores
    registry: Attested
    mark: Mark
    observed: Observed = field(default_factory=Observed)

    async def look(self) -> ProducedImage:
        """A tick of the service: what has ended lapses, what is due is looked at."""
        await self.stores[VerdictsStore].lapse(self.mark)
        options = ImagesOptions(24 * HOUR, mark=self.mark)
        await tick(self.stores[ImagesStore], self.registry, self.observed, options, Loop(self.stores.clock))
        return await self.image()

    async def image(self) -> ProducedImage:
        [image] = await self.stores[ImagesStore].images_of("contoso/shop")
        return image


@pytest.fixture
async def fleet(stores: Stores) -> Fleet:
    await running(stores, SSL)
    stores.clock.advance(48 * HOUR)
    fleet = Fleet(stores, Attested(until=stores.clock.now() + HOUR), trusting("ours"))
    image = await fleet.look()
    assert (image.state, image.builder) == (ImageState.CURRENT, BUILDER)
    assert (image.standings[0].basis, image.judged_by) == (Basis.VERIFIED_PROVENANCE, "ours")
    return fleet


async def test_before_its_end_a_verdict_stays_and_costs_no_second_read(fleet: Fleet) -> None:
    fleet.stores.clock.advance(HOUR / 2)
    assert (await fleet.look()).builder == BUILDER
    assert len(fleet.registry.reads) == 1


async def test_a_verdict_that_has_ended_is_not_shown_as_proved(fleet: Fleet) -> None:
    fleet.stores.clock.advance(HOUR)
    assert await fleet.stores[VerdictsStore].lapse(fleet.mark) == 1
    image = await fleet.image()
    [standing] = image.standings
    assert (image.state, image.builder) == (ImageState.CLAIMED, None)
    assert (standing.strength, standing.basis) == (Strength.CLAIMED, Basis.UNSIGNED_PROVENANCE)
    assert await fleet.stores[VerdictsStore].lapse(fleet.mark) == 0


async def test_what_an_earlier_edition_of_the_law_proved_by_layers_is_no_more_current_once_a_verdict_ends(
    fleet: Fleet,
) -> None:
    by_layers = [{**each, "basis": "layers"} for each in (await fleet.stores.column(images, "standings"))[0]]
    async with fleet.stores.database.transaction() as connection:
        await connection.execute(update(images).values(law=LAW - 1, standings=by_layers, state="claimed"))
    fleet.stores.clock.advance(HOUR)
    assert await fleet.stores[VerdictsStore].lapse(fleet.mark) == 1
    assert await fleet.stores.column(images, "state") == ["claimed"]


async def test_it_is_due_at_that_time_and_judged_again(fleet: Fleet) -> None:
    fleet.stores.clock.advance(HOUR)
    fleet.registry.until = None
    image = await fleet.look()
    assert (image.state, image.builder, len(fleet.registry.reads)) == (ImageState.CURRENT, BUILDER, 2)


async def test_once_another_is_trusted_what_was_proved_before_is_judged_again(fleet: Fleet) -> None:
    fleet.mark, fleet.registry.by, fleet.registry.until = trusting("others"), None, None
    image = await fleet.look()
    assert (image.state, image.builder, image.standings[0].basis) != (
        ImageState.CURRENT,
        BUILDER,
        Basis.VERIFIED_PROVENANCE,
    )
    assert len(fleet.registry.reads) == 2


async def test_once_nobody_is_trusted_nothing_is_proved_and_the_registry_is_not_read(fleet: Fleet) -> None:
    fleet.mark = trusting(None)
    image = await fleet.look()
    assert (image.state, image.builder, image.judged_by) == (ImageState.CLAIMED, None, None)
    assert len(fleet.registry.reads) == 1


async def test_an_image_of_which_nothing_new_is_observed_is_not_proved_again_by_what_it_declared(
    fleet: Fleet,
) -> None:
    fleet.stores.clock.advance(HOUR)
    await fleet.stores[VerdictsStore].lapse(fleet.mark)
    known = await fleet.stores[ImagesStore].known_images(0)
    assert [one.basis for one in known[0].declared["linux/amd64"]] == [Basis.UNSIGNED_PROVENANCE]


async def test_what_layers_have_proved_stays_proved(stores: Stores) -> None:
    await running(stores, SSL)
    await stores.verdicts.lapse(trusting("others"))
    [image] = await stores.images.images_of("contoso/shop")
    assert image.standings[0].strength is Strength.PROVED


def proved(stores: Stores, origin: SbomOrigin = SbomOrigin.ATTESTATION) -> Sbom:
    return replace(
        sbom(SSL, strength=Strength.PROVED),
        origin=origin,
        judged_by="ours",
        judged_until=stores.clock.now() + HOUR,
    )


async def worth(stores: Stores) -> list[tuple[Strength, str]]:
    page = await stores.image_pages.image(NAME, "https://github.com")
    assert page is not None
    return [(each.strength, each.told) for each in page.claims[0].packages[0].sboms]


@pytest.mark.parametrize("mark", ["ours", "others"])
async def test_an_sbom_is_proved_until_its_verdict_ends_or_others_are_trusted(stores: Stores, mark: str) -> None:
    await running(stores)
    await asked(stores, proved(stores))
    assert await stores.verdicts.lapse(trusting("ours")) == 0
    stores.clock.advance(HOUR if mark == "ours" else HOUR / 4)
    assert await stores.verdicts.lapse(trusting(mark)) == 1
    [(strength, told)] = await worth(stores)
    assert (strength, "is judged again" in told) == (Strength.CLAIMED, True)
    [look] = await stores.taken(stores.sboms.looks(AMD64))
    assert (look.place.name, look.is_last) == (NAME, False)


async def test_one_that_somebody_imported_is_claimed_from_then_on(stores: Stores) -> None:
    await running(stores)
    await asked(stores)
    [shown] = await stores.sboms.images_shown(Reference.parse(f"{NAME}:latest"))
    await stores.sboms.import_sbom(shown.inventory, proved(stores, SbomOrigin.FILE))
    stores.clock.advance(HOUR)
    assert await stores.verdicts.lapse(trusting("ours")) == 1
    [(strength, told)] = await worth(stores)
    assert (strength, "import it again" in told) == (Strength.CLAIMED, True)
    assert await stores.taken(stores.sboms.looks(AMD64)) == []
