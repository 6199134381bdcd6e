"""What an author states of packages and images by OpenVEX."""

import json
from collections.abc import Sequence
from typing import Any

from bot.images.vex.statements import VexStatement, read_vex
from tests.integration.store.holding import CVE, SSL

PACKAGE = f"pkg:deb/ubuntu/{SSL.name}@{SSL.version}?arch=amd64&distro=ubuntu-24.04"
REASON = "vulnerable_code_not_in_execute_path"


def statements(product: object, cve: str = CVE, **said: Any) -> Sequence[VexStatement]:
    """What one document states of a product."""
    statement = {"vulnerability": {"name": cve}, "products": [product], "status": "not_affected", **said}
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "author": "Contoso",
        "timestamp": "2026-03-01T00:00:00Z",
        "statements": [statement],
    }
    return read_vex(json.dumps(document).encode(), "a.json")
