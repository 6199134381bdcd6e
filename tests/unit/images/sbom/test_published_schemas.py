"""What the bot writes is valid by the schemas that CycloneDX and SPDX publish."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from bot.domain.packages.package import Distribution, Inventory, Package
from bot.images.sbom.export import as_cyclonedx, as_spdx

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
PACKAGES = (
    Package("apk", "musl", "1.2.5-r0", "x86_64", "musl", "1.2.5-r0"),
    Package("deb", "libstdc++6", "1:14.2.0-4ubuntu2~24.04", "amd64", "gcc-14", "14.2.0-4ubuntu2~24.04"),
    Package("rpm", "vim", "2:9.0-1.azl3", "x86_64", "vim", "9.0-1.azl3"),
    Package("nuget", "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64", "8.0.0"),
    Package("", "a name alone", ""),
)
INVENTORIES = [
    Inventory(PACKAGES, Distribution("ubuntu", "24.04")),
    Inventory(PACKAGES[:1], Distribution("arch", ""), ("layer sha256:0…: is cut short",)),
    Inventory(),
]


def schema(name: str) -> dict[str, object]:
    folder = files("cyclonedx.schema") / "_res"
    found: dict[str, object] = json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_cyclonedx_is_valid(inventory: Inventory) -> None:
    others = [schema(name) for name in ("spdx", "jsf-0.82")]
    named = [(str(each["$id"]), Resource.from_contents(each)) for each in others]
    checker = Draft7Validator(schema("bom-1.6"), registry=Registry().with_resources(named))
    errors = list(checker.iter_errors(as_cyclonedx(inventory, "mcr.microsoft.com/dotnet/aspnet:8.0", AT, "1.0")))
    assert errors == []


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_spdx_is_valid(inventory: Inventory, tmp_path: Path) -> None:
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    path = tmp_path / "sbom.spdx.json"
    path.write_text(json.dumps(as_spdx(inventory, "mcr.microsoft.com/dotnet/aspnet:8.0", AT, "1.0")))
    assert validate_full_spdx_document(parse_file(str(path))) == []
