"""SBOMs of all images of the fleet, as auditors ask for them."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, insert, select, update

from bot.commands.images.sboms_of_fleet import WrittenSboms, write_sboms
from bot.domain.packages.package import Inventory
from bot.images.sbom.export import as_spdx
from bot.images.sbom.reading import read_sbom
from bot.settings import Settings
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventories, inventory_packages
from tests.integration.store.filling import Stores
from tests.integration.store.holding import FIXED, SSL, move_image, running


async def written(stores: Stores, url: str, folder: Path) -> WrittenSboms:
    def made(inventory: Inventory, name: str) -> dict[str, Any]:
        return as_spdx(inventory, name, stores.clock.now(), "1")

    settings = Settings.model_validate({"store": {"url": url}})
    return await write_sboms(settings, folder, "spdx", made, stores.clock)


async def test_each_image_has_a_file_that_lists_what_its_layers_show(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await running(stores, SSL, base=(FIXED,))
    found = await written(stores, url, tmp_path / "audit")
    [file] = found.files
    assert file.name == "ghcr.io_contoso_shop_sha256-dddddddddddd_linux-amd64.spdx.json"
    assert found.problems == ()
    document = json.loads(file.read_bytes())
    assert document["name"].startswith("ghcr.io/contoso/shop@sha256:dddd")
    [package] = read_sbom(file.read_bytes(), "file").packages
    assert (package.name, package.version, package.source) == (SSL.name, SSL.version, SSL.source)


async def test_an_image_whose_layers_are_not_read_is_named_and_has_no_file(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await running(stores, SSL)
    await move_image(stores, is_read=False)
    found = await written(stores, url, tmp_path)
    assert found.files == ()
    [problem] = found.problems
    assert problem.endswith("(linux/amd64): its layers are not read")


async def test_an_image_that_cannot_be_read_is_named_and_stops_no_other(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await running(stores, SSL, base=(FIXED,))
    async with stores.database.transaction() as connection:
        await connection.execute(update(inventories).values(distribution={"id": 7}))
    found = await written(stores, url, tmp_path)
    assert found.files == ()
    [problem] = found.problems
    assert "(linux/amd64): a stored Distribution cannot be read" in problem


async def test_a_file_is_named_after_a_platform_of_any_words(stores: Stores, url: str, tmp_path: Path) -> None:
    await running(stores, SSL)
    async with stores.database.transaction() as connection:
        await connection.execute(update(inventories).values(platform="linux/" + "a\n../" * 18))
    [file] = (await written(stores, url, tmp_path)).files
    assert file.parent == tmp_path
    assert file.name.endswith("_linux-a-..-a-..-a-..-a-..-a-..-a-..-a-...spdx.json")


async def test_a_hundred_images_are_read_in_as_many_statements_as_one(
    stores: Stores, url: str, tmp_path: Path
) -> None:
    await running(stores, SSL)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    counts: list[int] = []
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for more in (0, 99):
            await _more_platforms(stores, more)
            asked.clear()
            assert len((await written(stores, url, tmp_path)).files) == 1 + more
            counts.append(len([each for each in asked if "inventor" in each or "packages" in each]))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]


async def _more_platforms(stores: Stores, number: int) -> None:
    """The image shows so many platforms more, with the packages of the first."""
    async with stores.database.transaction() as connection:
        one = (await connection.execute(select(inventories))).mappings().first()
        [image] = await connection.scalars(select(images.c.id))
        package = await connection.scalar(select(inventory_packages.c.package_id))
        assert one is not None
        for each in range(number):
            row = {name: value for name, value in one.items() if name != "id"} | {"digest": f"sha256:{each:064}"}
            added = await connection.execute(insert(inventories).values(**row).returning(inventories.c.id))
            inventory = added.scalar_one()
            shown = {"image_id": image, "platform": f"linux/{each}", "inventory_id": inventory}
            await connection.execute(insert(image_inventories).values(**shown))
            listed = {"inventory_id": inventory, "package_id": package, "since": one["seen_at"]}
            await connection.execute(insert(inventory_packages).values(**listed))
