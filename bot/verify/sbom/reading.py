"""Reads an SBOM, plain or wrapped: an in-toto statement of BuildKit or cosign, a DSSE envelope, a Sigstore bundle.

Wrappings are taken off here, not verified: what an SBOM says counts as claimed until somebody has.
"""

import base64
import binascii
import json
import re
from dataclasses import replace
from typing import Any

from bot.domain.failure import Failure
from bot.domain.packages.package import Inventory
from bot.verify.packages.reading import malformed, read_json
from bot.verify.sbom import cyclonedx, spdx

LARGEST_SBOM = 64 * 1024 * 1024
_MOST_WRAPPINGS = 5
_SPDX_3 = "https://spdx.org/rdf/3."
_LONGEST_DISTRIBUTION = 64
_START = 4096
_SPDX_AS_TEXT = re.compile(rb"^spdxversion:", re.IGNORECASE | re.MULTILINE)
_XML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<")


def read_sbom(data: bytes, where: str) -> Inventory:
    """The packages that the SBOM lists. Raises `Failure` for what is no SBOM; that is never an empty list."""
    document = _read(data, where)
    for _ in range(_MOST_WRAPPINGS):
        if str(document.get("spdxVersion", "")).startswith("SPDX-2."):
            return _with_distribution(spdx.read(document, where))
        if document.get("bomFormat") == "CycloneDX":
            return _with_distribution(cyclonedx.read(document, where))
        _refuse_other_forms(document, where)
        inner = _unwrapped(document, where)
        if inner is None:
            break
        document = inner
    raise malformed("is no SBOM, neither SPDX 2 nor CycloneDX", where)


def _read(data: bytes, where: str) -> dict[str, Any]:
    """The JSON object that a text is. Raises `Failure`, and says so for the other forms of SPDX and CycloneDX."""
    start = data[:_START]
    form = "XML" if _XML.match(start) else "SPDX as tag-value or YAML" if _SPDX_AS_TEXT.search(start) else None
    if form is not None:
        raise malformed(f"is {form}, which is not read", where, "have it written as SPDX 2.3 or CycloneDX in JSON")
    try:
        return read_json(data, where, LARGEST_SBOM)
    except Failure:
        if _is_one_of_several(data):
            advice = "put the one that is the SBOM into a file of its own"
            raise malformed("holds several JSON documents, a line each", where, advice) from None
        raise


def _refuse_other_forms(document: dict[str, Any], where: str) -> None:
    """Raises `Failure` for what lists packages in a form that is not read, and says what to do."""
    contexts = document.get("@context")
    named = contexts if isinstance(contexts, list) else [contexts]
    if any(str(each).startswith(_SPDX_3) for each in named):
        raise malformed("is SPDX 3, which is not read", where, "have it written as SPDX 2.3 or CycloneDX")
    match document:
        case {"artifacts": list(), "descriptor": {"name": "syft"}}:
            advice = "have syft write it with -o spdx-json or -o cyclonedx-json"
            raise malformed("is syft's own JSON, which is not read", where, advice)


def _is_one_of_several(data: bytes) -> bool:
    """Whether the first line is a whole object, and another follows, as in JSON Lines."""
    first, _, rest = data.partition(b"\n")
    try:
        return rest.lstrip().startswith(b"{") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _with_distribution(found: Inventory) -> Inventory:
    """Without one whose name is longer than any in `os-release`, or holds what can neither be kept nor shown."""
    named = found.distribution
    fits = named is None or all(
        len(each) <= _LONGEST_DISTRIBUTION and each.isprintable() for each in (named.id, named.version)
    )
    return found if fits else replace(found, distribution=None)


def _unwrapped(document: dict[str, Any], where: str) -> dict[str, Any] | None:
    """What is inside one wrapping; None where there is none that is known."""
    match document:
        case {"dsseEnvelope": dict(envelope)}:
            return envelope
        case {"payloadType": str(), "payload": str(payload)}:
            try:
                return read_json(base64.b64decode(payload, validate=True), where, LARGEST_SBOM)
            except binascii.Error as error:
                raise malformed("is an envelope whose payload is not base64", where) from error
        case {"predicateType": str(), "predicate": dict(predicate)}:
            return predicate
        case {"Data": dict(inner)}:
            return inner
        case {"predicateType": str(), "predicate": str(inner)} | {"Data": str(inner)}:
            return _read(inner.encode(errors="replace"), where)
        case _:
            return None
