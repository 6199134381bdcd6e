"""Which images get a statement, and when: the stage on a real store, with a registry that only takes note."""

from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.images.standing import Basis, ImageStanding, Publication, RuntimeInside
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.verify.attesting.summary import Verifier
from bot.fleet.verify.attesting.tick import AttestingTally, tick
from bot.fleet.verify.images.ports import Look
from bot.reconcile.loop import Loop
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest

BOT = Verifier("https://freshness.example.com", ec.generate_private_key(ec.SECP256R1()))
CLAIM = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
FRESH = ImageStanding(
    "linux/amd64",
    Strength.PROVED,
    Basis.LAYERS,
    (Publication(ASPNET, NOON, digest("b"), "linux/amd64", digest("c")),),
    2,
)
BEHIND = replace(FRESH, publications=(replace(FRESH.publications[0], until=NOON + HOUR),))


@dataclass
class Notes:
    """A registry that notes which digests were stated of, and refuses while it is `refusing`."""

    stated: list[str] = field(default_factory=list)
    refusing: Failure | None = None

    async def attach(self, place: Base, digest: str, envelope: bytes, verifier: str, predicate_type: str) -> None:
        if self.refusing is not None:
            raise self.refusing
        self.stated.append(digest)


@pytest.fixture
def registry() -> Notes:
    return Notes()


async def stated(stores: Stores, registry: Notes) -> AttestingTally:
    return await tick(stores.attesting, registry, BOT, Loop(stores.clock))


async def seen(stores: Stores, letter: str, *standings: ImageStanding) -> None:
    """The image of the shop shows the digest `letter`, and stands so."""
    if not await stores.images.images_of("contoso/shop"):
        await stores.listing(Repository("contoso/shop", "main"))
        await stores.read(Reading("tree-1", (), images=(CLAIM,)))
    [image] = await stores.images.images_of("contoso/shop")
    platforms = (PlatformImage("linux/amd64", digest("a"), layers=(digest("1"),)),)
    await stores.images.keep_look(image, Look("latest", SeenImage(digest(letter), platforms), standings))


async def test_a_fresh_image_is_stated_of_once_a_day(stores: Stores, registry: Notes) -> None:
    await seen(stores, "d", FRESH)
    for hours in (0, 1, 23, 25):
        stores.clock.move_to(NOON + hours * HOUR)
        await stated(stores, registry)
    assert registry.stated == [digest("d"), digest("d")]


@pytest.mark.parametrize(
    "standings",
    [
        (BEHIND,),
        (FRESH, BEHIND),
        (replace(FRESH, strength=Strength.CLAIMED),),
        (FRESH, ImageStanding("windows/amd64", unjudged="no base of Windows is watched")),
        (replace(FRESH, built_from=ASPNET),),
        (replace(FRESH, strength=Strength.CONTRADICTED),),
        (replace(FRESH, inside=RuntimeInside()),),
        (),
    ],
    ids=[
        *("behind", "one platform behind", "only claimed", "one platform not judged", "an unseen build"),
        *("contradicted", "the runtime inside not proved", "unknown"),
    ],
)
async def test_of_what_is_not_proved_fresh_nothing_is_stated(
    stores: Stores, registry: Notes, standings: tuple[ImageStanding, ...]
) -> None:
    await seen(stores, "d", *standings)
    assert await stated(stores, registry) == AttestingTally()
    assert registry.stated == []


async def test_a_statement_about_what_is_behind_by_now_is_not_renewed(stores: Stores, registry: Notes) -> None:
    await seen(stores, "d", FRESH)
    await stated(stores, registry)
    await seen(stores, "d", BEHIND)
    stores.clock.move_to(NOON + 25 * HOUR)
    await stated(stores, registry)
    assert registry.stated == [digest("d")]


async def test_a_new_digest_is_stated_of_at_once(stores: Stores, registry: Notes) -> None:
    await seen(stores, "d", FRESH)
    await stated(stores, registry)
    stores.clock.move_to(NOON + HOUR)
    await seen(stores, "e", FRESH)
    await stated(stores, registry)
    assert registry.stated == [digest("d"), digest("e")]


async def test_what_the_registry_refuses_is_told_and_tried_again(stores: Stores, registry: Notes) -> None:
    await seen(stores, "d", FRESH)
    registry.refusing = Failure(Trouble.DENIED, "lets nobody write", where="ghcr.io/contoso/shop")
    tally = await stated(stores, registry)
    assert tally.problems == ("ghcr.io/contoso/shop:latest: no statement is attached: lets nobody write",)
    registry.refusing = None
    stores.clock.move_to(NOON + 25 * HOUR)
    assert (await stated(stores, registry)).attached == 1
