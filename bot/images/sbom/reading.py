"""Reads an SBOM, plain or wrapped: an in-toto statement of BuildKit or cosign, a DSSE envelope, a Sigstore bundle.

Wrappings are taken off here, not verified: what an SBOM says counts as claimed until somebody has.
"""

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.domain.images.stated import Stated, stated_by_predicate
from bot.domain.packages.package import Inventory
from bot.domain.platform import InvalidPlatform, Platform
from bot.domain.wording.words import first_few
from bot.images.packages.reading import malformed, mapping, read_json
from bot.images.sbom import cyclonedx, spdx, spdx3, syft
from bot.images.sbom.export import problems_told

LARGEST_SBOM = 64 * 1024 * 1024
_MOST_WRAPPINGS = 5
_MOST_LINES = 1000
_LONGEST_DISTRIBUTION = 64
_START = 4096
_FOR_URLS = str.maketrans("-_", "+/")
_SPDX_AS_TEXT = re.compile(rb"^spdxversion:", re.IGNORECASE | re.MULTILINE)
_XML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<")
_FORMS: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any], str], Inventory]], ...] = (
    (lambda document: str(document.get("spdxVersion", "")).startswith("SPDX-2."), spdx.read),
    (lambda document: document.get("bomFormat") == "CycloneDX", cyclonedx.read),
    (spdx3.is_spdx_3, spdx3.read),
    (syft.is_syft, syft.read),
)
"""How each form is known, and who reads it."""


def read_sbom(data: bytes, place: str) -> Inventory:
    """The packages that the SBOM lists. Raises `Failure` for what is no SBOM; that is never an empty list."""
    inventory = _read_inventory(the_sbom(data, place), place)
    if inventory is None:
        raise malformed("is no SBOM, neither SPDX nor CycloneDX nor syft's own", place)
    return inventory


def the_sbom(data: bytes, place: str) -> bytes:
    """The text as it is, or of several JSON documents, a line each, the one that is an SBOM.

    `cosign download attestation` writes all attestations of an image like that. Raises `Failure` where no line is
    an SBOM, several different ones are, or one cannot be read, and for more lines than an image has attestations.
    """
    if len(data) > LARGEST_SBOM or not _is_one_of_several(data):
        return data
    fitting: dict[Inventory, bytes] = {}
    for number, line in enumerate(io.BytesIO(data), 1):
        if number > _MOST_LINES:
            raise malformed(f"holds more than {_MOST_LINES} JSON documents, a line each", place)
        inventory = _read_inventory(line, f"{place}, line {number}") if line.strip() else None
        if inventory is not None:
            fitting.setdefault(inventory, line.rstrip(b"\n"))
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        advice = "put the one that is meant into a file of its own"
        raise malformed(f"holds {len(fitting)} SBOMs, a line each", place, advice)
    raise malformed("holds several JSON documents, a line each, and none is an SBOM", place)


def _read_inventory(data: bytes, place: str) -> Inventory | None:
    """Reads what the SBOM lists, whatever it is wrapped in; returns None where it is none."""
    document: dict[str, Any] | None = _read(data, place)
    for _ in range(_MOST_WRAPPINGS):
        if document is None:
            return None
        for is_of_the_form, read in _FORMS:
            if is_of_the_form(document):
                return _with_own_problems(document, _with_distribution(read(document, place)), place)
        document = _unwrapped(document, place)
    return None


def _read(data: bytes, place: str) -> dict[str, Any]:
    """The JSON object that a text is. Raises `Failure`, and says so for the other forms of SPDX and CycloneDX."""
    form = _other_form(data)
    if form is not None:
        raise malformed(f"is {form}, which is not read", place, "have it written as SPDX 2.3 or CycloneDX in JSON")
    return read_json(data, place, LARGEST_SBOM)


def _other_form(data: bytes) -> str | None:
    start = data[:_START]
    return "XML" if _XML.match(start) else "SPDX as tag-value or YAML" if _SPDX_AS_TEXT.search(start) else None


def _is_one_of_several(data: bytes) -> bool:
    """Whether the first line is a whole object, and another follows, as in JSON Lines."""
    first, _, remainder = data.partition(b"\n")
    try:
        return remainder.lstrip().startswith(b"{") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _with_distribution(inventory: Inventory) -> Inventory:
    """Without one whose name is longer than any in `os-release`, or holds what can neither be kept nor shown."""
    distribution = inventory.distribution
    fits = distribution is None or all(
        len(value) <= _LONGEST_DISTRIBUTION and value.isprintable()
        for value in (distribution.id, distribution.version)
    )
    return inventory if fits else replace(inventory, distribution=None)


def _with_own_problems(document: dict[str, Any], inventory: Inventory, place: str) -> Inventory:
    """Adds what could not be read when the bot itself wrote this list, so that it stays incomplete."""
    own_problems = (
        f"{place}: says of itself that it is not complete: {problem}" for problem in problems_told(document)
    )
    return replace(inventory, problems=(*inventory.problems, *own_problems))


def _unwrapped(document: dict[str, Any], place: str) -> dict[str, Any] | None:
    """Unpacks one wrapping; returns None where there is none that is known."""
    match document:
        case {"dsseEnvelope": dict(envelope)}:
            return envelope
        case {"payloadType": str(), "payload": str(payload)}:
            return read_json(_decoded(payload, place), place, LARGEST_SBOM)
        case {"predicateType": str(kind)} if stated_by_predicate(kind) not in (Stated.SBOM, None):
            return None
        case {"predicateType": str(), "predicate": dict(predicate)}:
            return predicate
        # as cosign, `imagetools inspect` and GitHub's API have it
        case {"Data": dict(inner)} | {"SPDX": dict(inner)} | {"sbom": dict(inner)}:
            return inner
        case {"predicateType": str(), "predicate": str(inner)} | {"Data": str(inner)}:
            text = inner.encode(errors="replace")
            return _read(text, place) if text.lstrip().startswith(b"{") or _other_form(text) else None
        case _:
            _refuse_several_platforms(document, place)
            return None


def _decoded(payload: str, place: str) -> bytes:
    """The payload of a DSSE envelope, which its specification lets be base64 of either alphabet."""
    try:
        return base64.b64decode(payload.translate(_FOR_URLS), validate=True)
    except ValueError as error:
        raise malformed("is an envelope whose payload is not base64", place) from error


def _refuse_several_platforms(document: dict[str, Any], place: str) -> None:
    """Raises `Failure` for what `imagetools inspect` writes of an image with several platforms."""
    platforms = [name for name, each in document.items() if _is_platform(name) and "SPDX" in mapping(each)]
    if platforms:
        advice = f"write the one that is meant: --format '{{{{json (index .SBOM \"{platforms[0]}\")}}}}'"
        raise malformed(f"holds an SBOM for each of {first_few(platforms)}", place, advice)


def _is_platform(name: str) -> bool:
    try:
        Platform.parse(name)
    except InvalidPlatform:
        return False
    return True
