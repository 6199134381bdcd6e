"""An SBOM that is brought by hand, and what `packages find` then tells."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.domain.clock import ManualClock
from bot.domain.packages.package import Package
from bot.store.engine.database import open_database
from tests.integration.cli.conftest import Command
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import running
from tests.migrated import new_sqlite

ZLIB = Package("deb", "zlib1g", "1.3", "amd64")
IMAGE = "ghcr.io/contoso/shop:latest"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings beside the store of a fleet with one image, whose layers show zlib alone."""
    path = tmp_path / "freshness.yaml"
    url = new_sqlite(tmp_path / "freshness.db")
    path.write_text(yaml.safe_dump({"store": {"url": url}, "bases": []}))
    asyncio.run(_filled(url))
    return path


async def _filled(url: str) -> None:
    database = await open_database(url)
    stores = Stores.of_worker(database, ManualClock(datetime(2026, 11, 24, tzinfo=UTC)), "one")
    await running(stores, ZLIB)
    await database.close()


def written(folder: Path, about: str | None = None) -> Path:
    """CycloneDX that lists OpenSSL, plain or as an unsigned statement about a digest."""
    url = "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3.5?arch=amd64&upstream=openssl"
    listed: dict[str, Any] = {"type": "library", "name": "libssl3t64", "purl": url}
    document: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [listed]}
    if about is not None:
        document = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "", "digest": {"sha256": about.removeprefix("sha256:")}}],
            "predicateType": "https://cyclonedx.org/bom",
            "predicate": document,
        }
    file = folder / "sbom.json"
    file.write_text(json.dumps(document))
    return file


def test_what_it_lists_is_found_and_said_to_be_claimed(bot: Command, settings: Path) -> None:
    file = written(settings.parent, digest("d"))
    ran = bot("sbom", "import", file, "--image", IMAGE, "-c", settings)
    assert ran.code == 0
    assert f"kept for {IMAGE}, linux/amd64" in ran.out
    assert "1 package, claimed: not signed" in ran.out
    assert "zlib1g" in ran.out
    answer = json.loads(bot("packages", "find", "openssl", "-c", settings, "-f", "json").out)
    assert [(each["image"], each["shown_by"]) for each in answer["found"]] == [(IMAGE, "SBOM, claimed")]
    assert "(SBOM, claimed)" in bot("packages", "find", "openssl", "-c", settings).out


@pytest.mark.parametrize(("about", "code"), [(digest("d"), 0), (digest("f"), 2)])
def test_of_attestations_a_line_each_the_sbom_is_brought_to_the_image_that_it_is_about(
    bot: Command, settings: Path, about: str, code: int
) -> None:
    file = written(settings.parent, about)
    provenance = {"_type": "x", "predicateType": "https://slsa.dev/provenance/v1", "predicate": {}}
    file.write_text(f"{json.dumps(provenance)}\n{file.read_text()}\n")
    ran = bot("sbom", "import", file, "--image", IMAGE, "-c", settings)
    assert (ran.code, f"is about {about}" in ran.err) == (code, code == 2)


@pytest.mark.parametrize(
    ("about", "image", "told"),
    [
        (digest("f"), IMAGE, f"is about {digest('f')}, and the image is {digest('d')}"),
        (None, "ghcr.io/contoso/other:latest", "the fleet shows no such image"),
        (None, "Not An Image", "--image"),
    ],
)
def test_what_belongs_to_no_image_is_refused_in_one_line(
    bot: Command, settings: Path, about: str | None, image: str, told: str
) -> None:
    ran = bot("sbom", "import", written(settings.parent, about), "--image", image, "-c", settings)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert told in ran.err


def test_what_is_no_sbom_is_refused(bot: Command, settings: Path) -> None:
    file = settings.parent / "other.json"
    file.write_text("{}")
    ran = bot("sbom", "import", file, "--image", IMAGE, "-c", settings)
    assert (ran.code, "is no SBOM" in ran.err) == (2, True)


@pytest.mark.parametrize("asked", ["linux/arm", "linux/arm/v7"])
def test_an_image_is_named_by_either_name_of_its_platform(bot: Command, settings: Path, asked: str) -> None:
    """What was seen early is stored as plain arm."""
    with closing(sqlite3.connect(settings.parent / "freshness.db")) as store, store:
        store.execute("UPDATE inventories SET platform = 'linux/arm'")
    file = written(settings.parent)
    ran = bot("sbom", "import", file, "--image", IMAGE, "--platform", asked, "-c", settings)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("written_as", ["linux/arm", "linux/arm/v7"])
def test_what_was_stored_as_plain_arm_is_found_by_either_name_in_the_settings(
    bot: Command, settings: Path, written_as: str
) -> None:
    with closing(sqlite3.connect(settings.parent / "freshness.db")) as store, store:
        for table in ("inventories", "image_inventories"):
            store.execute(f"UPDATE {table} SET platform = 'linux/arm'")
    told = yaml.safe_load(settings.read_text()) | {"packages": {"platforms": [written_as]}}
    settings.write_text(yaml.safe_dump(told))
    ran = bot("packages", "find", "zlib1g", "-c", settings, "-f", "json")
    assert (ran.code, [each["image"] for each in json.loads(ran.out)["found"]]) == (0, [IMAGE])
