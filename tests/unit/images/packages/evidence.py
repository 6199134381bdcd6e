"""The package databases of the shared data, and what each must be read as."""

import json
import lzma
from typing import Any

import pytest

from bot.domain.packages.package import Package
from tests.conftest import NO_SHARED_DATA, SHARED

EVIDENCE = SHARED / "evidence"


def content(name: str) -> bytes:
    """A file of the evidence, unpacked; the test is skipped where it is absent."""
    path = EVIDENCE / name
    if not path.exists():
        pytest.skip(NO_SHARED_DATA)
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def expected(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(content(name))
    return answer


def same_packages(packages: tuple[Package, ...], wanted: list[dict[str, Any]], *fields: str) -> bool:
    """Whether both list the same; `fields` name what `wanted` calls name, version, architecture and source."""
    found = [(each.name, each.version, each.architecture, each.source)[: len(fields)] for each in packages]
    return sorted(found, key=repr) == sorted((tuple(each[field] for field in fields) for each in wanted), key=repr)
