"""OpenVEX documents (0.0.1 and 0.2.0): what their author says of a vulnerability in a product.

A statement takes a finding away where it says `not_affected` with a reason, or `fixed`; the last one that speaks of
the finding counts. A document is a claim of its author: whether that is somebody to be heeded, the caller decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.clock import is_yet_to_come
from bot.domain.failure import Failure, Trouble
from bot.domain.images.stated import OPENVEX
from bot.images.packages.reading import items, mapping, read_json, text
from bot.images.scanners.report import bounded_line

LARGEST_VEX = 16 * 1024 * 1024
_MOST_STATEMENTS = 100_000
_SHA_256 = "sha-256"
"""Its name among hashes of OpenVEX."""
_JUSTIFICATIONS = frozenset(
    {
        "component_not_present",
        "vulnerable_code_not_present",
        "vulnerable_code_not_in_execute_path",
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "inline_mitigations_already_exist",
    }
)


@dataclass(frozen=True, slots=True)
class Component:
    """A package URL, empty where it has none; where it `has_hashes`, what has these is meant, of which `digest` is
    that of SHA-256, as images have it."""

    url: str
    digest: str = ""
    has_hashes: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """What a statement is about, and those of the parts within it that are meant; without parts, the whole is."""

    whole: Component
    parts: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class VexStatement:
    """`vulnerabilities` are the name and its aliases, in upper case; `reason` is the justification, where it is one
    of those that OpenVEX knows, or the impact on one line.

    `at` is the time of the statement or of its document; None where neither has one.
    """

    vulnerabilities: frozenset[str]
    products: tuple[Product, ...]
    status: str
    reason: str = ""
    author: str = ""
    at: datetime | None = None
    judged_until: datetime | None = None
    """The first moment at which the signature by which it is heeded may be judged otherwise; None where there is no
    such moment, or nobody has signed it."""

    @property
    def excuses(self) -> bool:
        """OpenVEX wants a reason for `not_affected`; without one, nothing is taken away."""
        return self.status == "fixed" or (self.status == "not_affected" and bool(self.reason))


def read_vex(data: bytes, place: str) -> tuple[VexStatement, ...]:
    """The statements as they stand there. Raises `Failure` for what is no OpenVEX document."""
    document = read_json(data, place, LARGEST_VEX)
    contexts = document.get("@context")
    context_names = contexts if isinstance(contexts, list) else [contexts]
    statements = document.get("statements")
    if not any(text(name).startswith(OPENVEX) for name in context_names) or not isinstance(statements, list):
        raise Failure(Trouble.MALFORMED, "is no OpenVEX document", where=place, advice="nothing of it is used")
    if len(statements) > _MOST_STATEMENTS:
        raise Failure(Trouble.MALFORMED, f"has more than {_MOST_STATEMENTS} statements", where=place)
    return tuple(_statement(mapping(each), document, place) for each in statements)


def heeded(statements: Iterable[VexStatement], now: datetime) -> tuple[VexStatement, ...]:
    """Those that count at a moment: what is said at a time that is yet to come takes nothing away."""
    return tuple(each for each in statements if not (each.excuses and is_ahead(each, now)))


def is_ahead(statement: VexStatement, now: datetime) -> bool:
    return statement.at is not None and is_yet_to_come(statement.at, now)


def _statement(value: Mapping[str, Any], document: Mapping[str, Any], place: str) -> VexStatement:
    """Reads a statement; what it leaves out, or has null for, the document says for all."""

    def said(key: str) -> object:
        own = value.get(key)
        return document.get(key) if own in (None, "") else own

    vulnerability = said("vulnerability")
    inner = mapping(vulnerability)
    names = [text(vulnerability), text(inner.get("name")), text(inner.get("@id"))]
    names += [text(alias) for alias in items(inner.get("aliases"))]
    products = items(said("products"))
    common = _parts(value)
    justification = bounded_line(value.get("justification"))
    return VexStatement(
        frozenset(name.upper() for name in names if name),
        tuple(_product(product, common) for product in products),
        text(said("status")),
        (justification if justification in _JUSTIFICATIONS else "") or bounded_line(value.get("impact_statement")),
        bounded_line(document.get("author")),
        _moment(said("timestamp"), place),
    )


def _moment(value: object, place: str) -> datetime | None:
    """A time without a zone is taken as UTC. Raises `Failure` for what is no time: which statement is the last
    could not be told."""
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(text(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        fault = f"has a statement of {str(value)[:40]!r}, which is no time"
        raise Failure(Trouble.MALFORMED, fault, where=place, advice="write it as RFC 3339 has it") from None


def _product(value: object, common: Sequence[Component]) -> Product:
    return Product(_component(value), _parts(mapping(value)) or tuple(common))


def _parts(value: Mapping[str, Any]) -> tuple[Component, ...]:
    """Where they are no list, one that is nothing stands for them: the whole is not meant then."""
    subcomponents = value.get("subcomponents")
    if subcomponents is None:
        return ()
    return tuple(map(_component, subcomponents)) if isinstance(subcomponents, list) else (Component(""),)


def _component(value: object) -> Component:
    inner = mapping(value)
    url = text(value) or text(mapping(inner.get("identifiers")).get("purl")) or text(inner.get("@id"))
    hashes = mapping(inner.get("hashes"))
    sha_256 = text(hashes.get(_SHA_256)).lower()
    digest = f"sha256:{sha_256.removeprefix('sha256:')}" if sha_256 else ""
    return Component(url, digest, inner.get("hashes") not in (None, {}))
