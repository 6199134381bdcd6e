"""Which images places run: the database tells it for all at once, and by the same words for one."""

from dataclasses import dataclass
from itertools import product

from sqlalchemy import insert

from bot.domain.repositories.usage import what_is_named
from bot.store.pages.images.deployed import deployments_of
from bot.store.rows.images.images import deployments, images
from bot.store.rows.repositories.tables import repositories
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import Stores, digest


@dataclass(frozen=True)
class _Image:
    repository: str
    tag: str
    found: str | None
    digest: str | None


IMAGES = (
    _Image("golden", "8.0", "8.0", digest("d")),
    _Image("golden", "9.0", None, None),
    _Image("golden", "latest", "latest", digest("d")),
    _Image("golden", "v*", "v1.2", digest("f")),
    _Image("one", "8.0", "8.0", digest("d")),
)
PLACES = tuple(
    product(
        ("golden", "one", "none"),
        (None, "latest", "8.0", "9.0", "v1.2", "other"),
        (None, digest("d"), digest("f"), digest("9")),
    )
)


def runs(repository: str, tag: str | None, pinned: str | None) -> set[_Image]:
    """The images that show the digest; or else that have the tag; or else all of that name, since it may be any."""
    of_name = {image for image in IMAGES if image.repository == repository}
    named = what_is_named(tag, None) if pinned is None else tag
    shown = {image for image in of_name if pinned is not None and image.digest == pinned}
    tagged = {image for image in of_name if named is not None and named in (image.tag, image.found)}
    return shown or tagged or of_name


async def test_every_place_runs_what_its_digest_or_else_its_tag_names_and_where_neither_does_any_of_its_name(
    stores: Stores,
) -> None:
    shop = {"id": 1, "name": "contoso/shop", "default_branch": "main", "listed": True, "config": {}}
    told = {"repository_id": 1, "registry": "ghcr.io"}
    async with stores.database.transaction() as connection:
        await connection.execute(insert(repositories), [{**shop, "workflows": [], "problems": [], "due_at": NOON}])
        await connection.execute(
            insert(images),
            [
                {**told, **vars(image), "id": number, "source": "build", "path": "", "line": 0, "due_at": NOON}
                for number, image in enumerate(IMAGES)
            ],
        )
        await connection.execute(
            insert(deployments),
            [
                {**told, "repository": name, "tag": tag, "digest": pinned, "path": "a.yaml", "line": line}
                for line, (name, tag, pinned) in enumerate(PLACES)
            ],
        )
    expected = {
        number: [line for line, place in enumerate(PLACES) if image in runs(*place)]
        for number, image in enumerate(IMAGES)
    }
    async with stores.database.reading() as connection:
        together = await deployments_of(connection, range(len(IMAGES)))
        apart = {number: (await deployments_of(connection, [number])).get(number, ()) for number in expected}
    for found in (together, apart):
        assert {number: [place.line for place in found.get(number, ())] for number in expected} == expected
