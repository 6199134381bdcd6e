"""An image whose witnesses contradict each other is told once, with what says what, until that is over."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.images.standing import Basis, ImageStanding, ImageState, Publication
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.verify.images.ports import Look
from bot.store.rows.bases.tables import incidents
from bot.store.rows.images.images import images
from bot.store.rows.tables import outbox
from tests.integration.store.conftest import NOON, ON_BOTH
from tests.integration.store.filling import ASPNET, Stores, digest, usage_of

CURRENT = ImageStanding(
    "linux/amd64",
    Strength.PROVED,
    Basis.LAYERS,
    (Publication(ASPNET, NOON, digest("b"), "linux/amd64", digest("c")),),
    2,
)
SAID = "its configuration has DOTNET_VERSION=10.0.4, and its base declares 10.0.5"
CONTRADICTED = replace(CURRENT, strength=Strength.CONTRADICTED, disagreement=SAID)


@pytest.fixture
async def produced(stores: Stores) -> Stores:
    """`contoso/shop` produces two images."""
    claims = tuple(
        Claim(f"ghcr.io/contoso/{name}", TagRule("latest"), Source.BUILD, "build.yml", 7)
        for name in ("api", "shop")
    )
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree", ((usage_of(ASPNET), ASPNET),), images=claims))
    return stores


async def judged(stores: Stores, *standings: ImageStanding) -> None:
    """Each image of `contoso/shop` stands so, in the order of names."""
    platform = PlatformImage("linux/amd64", digest("a"), layers=(digest("1"),))
    for image, standing in zip(await stores.images.images_of("contoso/shop"), standings, strict=True):
        seen = SeenImage(digest("d"), (platform,))
        await stores.images.keep_look(image, Look("latest", seen, (standing,)))
    await stores.images.tell_contradictions()


async def told(stores: Stores) -> list[str]:
    async with stores.database.reading() as connection:
        rows = await connection.execute(incidents.select().order_by(incidents.c.id))
        return [f"{row.subject} {'is over' if row.cleared_at else row.detail}" for row in rows]


@ON_BOTH
async def test_it_is_told_once_with_what_contradicts_what_and_ends(produced: Stores) -> None:
    await judged(produced, CURRENT, CURRENT)
    assert await told(produced) == []
    await judged(produced, CURRENT, CONTRADICTED)
    await judged(produced, CURRENT, CONTRADICTED)
    [line] = await told(produced)
    assert line.startswith(f"contradicted:contoso/shop ghcr.io/contoso/shop:latest on linux/amd64: {SAID}; ")
    assert await produced.column(outbox, "key") == ["incident:1"]
    await judged(produced, CURRENT, CURRENT)
    assert await told(produced) == ["contradicted:contoso/shop is over"]


async def test_it_is_told_of_an_image_that_is_behind_too(produced: Stores) -> None:
    old = replace(CONTRADICTED.publications[0], until=NOON)
    behind = replace(CONTRADICTED, publications=(old,))
    assert behind.state is ImageState.BEHIND
    await judged(produced, replace(CURRENT, publications=(old,)), behind)
    [line] = await told(produced)
    assert line.startswith("contradicted:contoso/shop ghcr.io/contoso/shop:latest on linux/amd64: ")


async def test_several_images_of_a_repository_are_told_together(produced: Stores) -> None:
    await judged(produced, CONTRADICTED, CONTRADICTED)
    [line] = await told(produced)
    assert f"ghcr.io/contoso/api:latest on linux/amd64: {SAID}, and 1 more image; " in line


async def test_it_is_over_with_the_image(produced: Stores) -> None:
    await judged(produced, CURRENT, CONTRADICTED)
    async with produced.database.transaction() as connection:
        await connection.execute(delete(images))
    await produced.images.tell_contradictions()
    assert await told(produced) == ["contradicted:contoso/shop is over"]


async def test_the_summary_names_it_as_long_as_it_lasts(produced: Stores) -> None:
    await judged(produced, CURRENT, CONTRADICTED)
    summary = await produced.summary.summary(NOON)
    [line] = summary.contradicted
    assert line.startswith(f"contoso/shop: ghcr.io/contoso/shop:latest on linux/amd64: {SAID}")
    await judged(produced, CURRENT, CURRENT)
    assert (await produced.summary.summary(NOON)).contradicted == ()


async def test_what_cannot_be_read_ends_nothing(produced: Stores) -> None:
    await judged(produced, CURRENT, CONTRADICTED)
    before = await told(produced)
    async with produced.database.transaction() as connection:
        await connection.execute(update(images).values(standings=[7]))
    await produced.images.tell_contradictions()
    assert await told(produced) == before
