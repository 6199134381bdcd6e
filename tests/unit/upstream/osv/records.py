"""Records in the format of OSV, shaped as each publisher writes them."""

import io
import json
import zipfile
from typing import Any


def affected(
    name: str = "openssl",
    fixed: str | None = "3.0.13-0ubuntu3.6",
    *,
    ecosystem: str = "Ubuntu:24.04:LTS",
    binaries: dict[str, str] | None = None,
    **values: Any,
) -> dict[str, Any]:
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    listed = [{"binary_name": each, "binary_version": version} for each, version in (binaries or {}).items()]
    return {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": ["3.0.13-0ubuntu3.4"],
        "ecosystem_specific": {"binaries": listed, "availability": "No subscription required"},
        **values,
    }


def record(name: str = "UBUNTU-CVE-2026-1001", *packages: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "schema_version": "1.7.0",
        "id": name,
        "details": "A buffer may overflow.\nMore of it.",
        "published": "2026-03-04T05:06:07Z",
        "modified": "2026-03-05T00:00:00Z",
        "affected": list(packages or (affected(),)),
        **values,
    }


def dump(*records: Any, packing: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """A dump with these records; bytes stand for a record that is not what it should be."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as archive:
        for number, each in enumerate(records):
            archive.writestr(f"{number}.json", each if isinstance(each, bytes) else json.dumps(each))
    packed.seek(0)
    return packed
