"""The documents as their publishers sent them, read from the shared data."""

import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import pytest

from bot.domain.failure import Failure
from bot.upstream.feeds import image_info
from tests.conftest import NO_SHARED_DATA, SHARED

SEEN = datetime(2025, 12, 9, 18, 0, tzinfo=UTC)

CHANNELS = ("8.0", "9.0", "10.0")
BULLETINS = ("2025-Jun", "2025-Nov")
INVENTORIES = ("2025-12-17-ac8d5082", "2025-12-30-8f362214")

JSON_DOCUMENTS = (
    "releases-index.json",
    *(f"releases-{channel}.json" for channel in CHANNELS),
    "dotnet-cve-2025-10.json",
    *(f"image-info-{name}.json" for name in INVENTORIES),
)
KEV = "kev-sample.json"
XML_DOCUMENTS = tuple(f"msrc-cvrf-{name}.xml" for name in BULLETINS)

Parser = Callable[[bytes, datetime, str], Any]


def read_inventory(data: bytes, seen_at: datetime, document: str) -> Any:
    """The inventory's entries, by a parser of the shape that all others have."""
    return image_info.read(data, document)[1]


def outcome(parser: Parser, data: bytes) -> Any:
    """What the parser returns, or the failure that it raises; anything else that is raised fails the test."""
    try:
        return parser(data, SEEN, "feed.doc")
    except Failure as failure:
        return failure


def published(name: str) -> bytes:
    """The bytes of one document; the test is skipped where the shared data is absent."""
    if not (SHARED / "feeds").is_dir():
        pytest.skip(NO_SHARED_DATA)
    return _read(name)


@lru_cache(maxsize=4)
def shortened_bulletin(name: str) -> bytes:
    """A bulletin with what it says of .NET, and of all other products the first of each kind alone."""
    root = ElementTree.fromstring(published(name))
    for parent in list(root.iter()):
        seen: set[str] = set()
        for child in list(parent):
            if child.tag.rpartition("}")[2] not in ("Vulnerability", "FullProductName"):
                continue
            if child.tag in seen and ".NET" not in "".join(child.itertext()):
                parent.remove(child)
            seen.add(child.tag)
    return ElementTree.tostring(root)


@lru_cache(maxsize=16)
def _read(name: str) -> bytes:
    plain = SHARED / "feeds" / name
    return plain.read_bytes() if plain.exists() else lzma.decompress(plain.with_name(f"{name}.xz").read_bytes())
