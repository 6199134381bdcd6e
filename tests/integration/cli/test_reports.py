"""A scanner's report that is brought by hand."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tests.integration.cli.conftest import Command
from tests.integration.store.filling import digest
from tests.migrated import new_sqlite

NAME = f"ghcr.io/contoso/shop@{digest('a')}"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "freshness.yaml"
    path.write_text(yaml.safe_dump({"store": {"url": new_sqlite(tmp_path / "freshness.db")}, "bases": []}))
    return path


def written(folder: Path, *names: str) -> Path:
    found = {
        "VulnerabilityID": "CVE-2026-1",
        "PkgName": "openssl",
        "InstalledVersion": "3.0",
        "FixedVersion": "3.1",
        "Severity": "HIGH",
    }
    results = [{"Target": "shop", "Vulnerabilities": [found]}]
    file = folder / "report.json"
    file.write_text(json.dumps({"SchemaVersion": 2, "Metadata": {"RepoDigests": list(names)}, "Results": results}))
    return file


def test_it_is_kept_for_the_image_that_it_names(bot: Command, settings: Path) -> None:
    ran = bot("reports", "import", written(settings.parent, NAME), "-c", settings)
    assert (ran.code, ran.err) == (0, "")
    assert f"kept for {digest('a')}" in ran.out
    [kept] = json.loads(bot("reports", "list", NAME, "-c", settings, "-f", "json").out)
    assert (kept["digests"], [each["id"] for each in kept["findings"]]) == ([digest("a")], ["CVE-2026-1"])
    assert "(file): 1 finding" in bot("reports", "list", NAME, "-c", settings).out


def test_what_was_suppressed_is_kept_apart_and_told(bot: Command, settings: Path) -> None:
    result = {
        "message": {"text": "Package: musl\nInstalled Version: 1\nVulnerability CVE-2026-1\nSeverity: HIGH\n"},
        "ruleId": "CVE-2026-1",
        "suppressions": [{"kind": "external", "justification": "not reachable"}],
    }
    file = settings.parent / "trivy.sarif"
    file.write_text(json.dumps({"runs": [{"results": [result], "properties": {"imageID": digest("a")}}]}))
    assert bot("reports", "import", file, "-c", settings).code == 0
    assert "0 findings and 1 suppressed" in bot("reports", "list", NAME, "-c", settings).out
    [kept] = json.loads(bot("reports", "list", NAME, "-c", settings, "-f", "json").out)
    assert kept["findings"] == []
    assert [(each["id"], each["why"]) for each in kept["suppressed"]] == [
        ("CVE-2026-1", "suppressed in the report: accepted (not reachable)")
    ]


def test_one_that_names_no_image_is_kept_for_the_one_that_is_named(bot: Command, settings: Path) -> None:
    file = written(settings.parent)
    assert bot("reports", "import", file, "-c", settings).code == 2
    assert bot("reports", "import", file, "--image", NAME, "-c", settings).code == 0
    assert bot("reports", "list", NAME, "-c", settings).code == 0


@pytest.mark.parametrize(
    ("image", "told"),
    [("ghcr.io/contoso/shop:latest", "names no digest"), (f"shop@{digest('b')}", f"is about {digest('a')}")],
)
def test_what_is_no_digest_or_another_one_is_refused_in_one_line(
    bot: Command, settings: Path, image: str, told: str
) -> None:
    ran = bot("reports", "import", written(settings.parent, NAME), "--image", image, "-c", settings)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert told in ran.err


def test_where_none_is_kept_it_cannot_be_told(bot: Command, settings: Path) -> None:
    ran = bot("reports", "list", NAME, "-c", settings)
    assert (ran.code, "is not known" in ran.out) == (3, True)


def test_one_that_is_damaged_in_the_store_is_named_and_hides_no_other(bot: Command, settings: Path) -> None:
    file = written(settings.parent, NAME)
    bot("reports", "import", file, "-c", settings)
    with closing(sqlite3.connect(settings.parent / "freshness.db")) as store, store:
        store.execute("UPDATE scan_reports SET report = x'00'")
    ran = bot("reports", "list", NAME, "-c", settings)
    assert ran.code == 3
    assert f"{file} (file): damaged in the store; bring it again" in " ".join(ran.out.split())
    assert "None of them can be read: what scanners found in it is not known." in ran.out
    [told] = json.loads(bot("reports", "list", NAME, "-c", settings, "-f", "json").out)
    assert (told["place"], told["damaged"]) == (str(file), True)
    file.write_text(file.read_text().replace("CVE-2026-1", "CVE-2026-2"))
    bot("reports", "import", file, "-c", settings)
    ran = bot("reports", "list", NAME, "-c", settings)
    assert (ran.code, "damaged" in ran.out, "1 finding" in ran.out) == (0, True, True)
