"""OpenVEX documents (0.0.1 and 0.2.0): what their author says of a vulnerability in a product.

A statement takes a finding away where it says `not_affected` with a reason, or `fixed`; the last one that speaks of
the finding counts. A document is a claim of its author: whether that is somebody to be heeded, the caller decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.cves.detected import DetectedVulnerability, is_cve
from bot.domain.platform import InvalidPlatform, Platform
from bot.domain.reference import DEFAULT_REGISTRY, InvalidReference, Reference
from bot.verify.packages.reading import items, mapping, read_json, text
from bot.verify.sbom.package_url import distribution_named
from bot.verify.scanners.report import Report, bounded_line

LARGEST_VEX = 16 * 1024 * 1024
_MOST_STATEMENTS = 100_000
OPENVEX = "https://openvex.dev/ns"
"""How the context of a document begins, and the type of a predicate that is one."""
_SHA_256 = "sha-256"
"""Its name among hashes of OpenVEX."""
_IMAGES = frozenset({"oci", "docker"})
_JUSTIFICATIONS = frozenset(
    {
        "component_not_present",
        "vulnerable_code_not_present",
        "vulnerable_code_not_in_execute_path",
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "inline_mitigations_already_exist",
    }
)
_HUB = ("index.docker.io", "registry-1.docker.io")
"""Other names of Docker Hub's registry."""
_MOST_PLATFORMS = 20
"""Of which it is told that statements are about them."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


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

    @property
    def excuses(self) -> bool:
        """OpenVEX wants a reason for `not_affected`; without one, nothing is taken away."""
        return self.status == "fixed" or (self.status == "not_affected" and bool(self.reason))


@dataclass(frozen=True, slots=True)
class VexExcuse:
    """A finding that does not block, and the statement that says why."""

    found: DetectedVulnerability
    statement: VexStatement


def read_vex(data: bytes, where: str) -> tuple[VexStatement, ...]:
    """The statements as they stand there. Raises `Failure` for what is no OpenVEX document."""
    document = read_json(data, where, LARGEST_VEX)
    contexts = document.get("@context")
    named = contexts if isinstance(contexts, list) else [contexts]
    listed = document.get("statements")
    if not any(text(name).startswith(OPENVEX) for name in named) or not isinstance(listed, list):
        raise Failure(Trouble.MALFORMED, "is no OpenVEX document", where=where, advice="nothing of it is used")
    if len(listed) > _MOST_STATEMENTS:
        raise Failure(Trouble.MALFORMED, f"has more than {_MOST_STATEMENTS} statements", where=where)
    return tuple(_statement(mapping(each), document, where) for each in listed)


def _statement(value: Mapping[str, Any], document: Mapping[str, Any], where: str) -> VexStatement:
    """What a statement leaves out, or has null for, the document says for all."""

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
        _moment(said("timestamp"), where),
    )


def _moment(written: object, where: str) -> datetime | None:
    """A time without a zone is taken as UTC. Raises `Failure` for what is no time: which statement is the last
    could not be told."""
    if written in (None, ""):
        return None
    try:
        at = datetime.fromisoformat(text(written))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        what = f"has a statement of {str(written)[:40]!r}, which is no time"
        raise Failure(Trouble.MALFORMED, what, where=where, advice="write it as RFC 3339 has it") from None


def _product(value: object, common: Sequence[Component]) -> Product:
    return Product(_component(value), _parts(mapping(value)) or tuple(common))


def _parts(value: Mapping[str, Any]) -> tuple[Component, ...]:
    """Where they are no list, one that is nothing stands for them: the whole is not meant then."""
    listed = value.get("subcomponents")
    if listed is None:
        return ()
    return tuple(map(_component, listed)) if isinstance(listed, list) else (Component(""),)


def _component(value: object) -> Component:
    inner = mapping(value)
    url = text(value) or text(mapping(inner.get("identifiers")).get("purl")) or text(inner.get("@id"))
    hashes = mapping(inner.get("hashes"))
    told = text(hashes.get(_SHA_256)).lower()
    digest = f"sha256:{told.removeprefix('sha256:')}" if told else ""
    return Component(url, digest, inner.get("hashes") not in (None, {}))


def excuse(
    found: Iterable[DetectedVulnerability], statements: Sequence[VexStatement], report: Report
) -> tuple[tuple[DetectedVulnerability, ...], tuple[VexExcuse, ...]]:
    """What still stands, and what the statements take away, in the order of the findings.

    Statements of one time count in the order in which they are given, those without a time before all others.
    """
    by_name: dict[str, dict[int, VexStatement]] = {}
    for number, statement in enumerate(sorted(statements, key=lambda each: each.at or _BEFORE_ALL)):
        for name in statement.vulnerabilities:
            by_name.setdefault(name, {})[number] = statement
    standing: list[DetectedVulnerability] = []
    excused: list[VexExcuse] = []
    for each in found:
        speaking = [one for one in _naming(each, by_name) if _speaks_of(one, each, report)]
        if speaking and speaking[-1].excuses:
            excused.append(VexExcuse(each, speaking[-1]))
        else:
            standing.append(each)
    return tuple(standing), tuple(excused)


def _naming(found: DetectedVulnerability, by_name: Mapping[str, Mapping[int, VexStatement]]) -> list[VexStatement]:
    """The statements that name it, the last one last; one that names it by an alias alone, where it names no other
    CVE: an advisory may be about several. By each name, they stand under their place among all."""
    name = found.id.upper()
    named = dict(by_name.get(name, {}))
    for alias in found.aliases:
        named |= {
            number: one
            for number, one in by_name.get(alias.upper(), {}).items()
            if not any(is_cve(other) and other != name for other in one.vulnerabilities)
        }
    return [named[number] for number in sorted(named)]


def untold_platforms(
    standing: Iterable[DetectedVulnerability], statements: Sequence[VexStatement], report: Report
) -> tuple[str, ...]:
    """Which of the findings that stand would be excused on some platform, a line each, where the report does not
    tell which one it is about."""
    if report.platform:
        return ()
    named = {arch for one in statements for each in one.products if (arch := _arch(each.whole.url))}
    lines: list[str] = []
    left = tuple(standing)
    for arch in sorted(named)[:_MOST_PLATFORMS]:
        left, excused = excuse(left, statements, replace(report, platform=f"linux/{arch}"))
        lines += [
            f"{each.found.id} in {each.found.package}: {each.statement.author or 'an unnamed author'} excuses it "
            f"on {arch} alone, and the report does not say which platform it is about; have the scanner write its "
            "own JSON"
            for each in excused
        ]
    return tuple(lines)


def _speaks_of(statement: VexStatement, found: DetectedVulnerability, report: Report) -> bool:
    for product in statement.products:
        if _covers(product.whole, found.package_url):
            return True
        if _is_scanned(product.whole, report) and (
            not product.parts or any(_covers(part, found.package_url) for part in product.parts)
        ):
            return True
    return False


def _covers(stated: Component, found: str) -> bool:
    """Whether what is stated is what was found: the same package, and its version and qualifiers where stated.

    Hashes of a package without a version tell of certain files alone, and which were found is not known.
    """
    one, other = _parsed(stated.url), _parsed(found)
    if (
        one is None
        or other is None
        or (one.type, one.namespace, one.name) != (other.type, other.namespace, other.name)
    ):
        return False
    if one.version != other.version if one.version else stated.has_hashes:
        return False
    had = other.qualifiers or {}
    return all(
        _is_stated(key, value, had.get(key, ""), one.namespace or "")
        for key, value in (one.qualifiers or {}).items()
    )


def _is_stated(qualifier: str, stated: str, had: str, namespace: str) -> bool:
    """Whether a package has what a qualifier states: an architecture by any of its names, and a release of a
    distribution by as much of its number as is stated."""
    if stated == had or not had:
        return stated == had
    if qualifier == "arch":
        return _is_for(stated, f"linux/{had}")
    if qualifier == "distro":
        wanted, told = distribution_named(stated, namespace), distribution_named(had, namespace)
        if wanted is None or told is None or wanted.id != told.id:
            return False
        return not wanted.version or f"{told.version}.".startswith(f"{wanted.version}.")
    return False


def _is_for(arch: str, platform: str) -> bool:
    """Whether an architecture that is stated is that of a platform; its variant counts where it is stated."""
    try:
        stated, told = Platform.parse(f"linux/{arch}"), Platform.parse(platform)
    except InvalidPlatform:
        return False
    return stated.architecture == told.architecture and ("/" not in arch or stated.variant == told.variant)


def _is_scanned(stated: Component, report: Report) -> bool:
    """Whether a product is the image that was scanned: by its digest or, where it has none, by its name.

    Of what is stated beside a name, only the place and the platform of the image can be told to be its. What is
    stated of one platform is of none where that of the image is not told.
    """
    image = _parsed(stated.url)
    if image is None or image.type not in _IMAGES:
        return stated.digest in report.names
    arch = _arch(stated.url)
    if arch and not _is_for(arch, report.platform):
        return False
    if image.version and image.version.startswith("sha256:"):
        return image.version in report.image_digests
    if stated.has_hashes:
        return stated.digest in report.names
    qualifiers = dict(image.qualifiers or {})
    qualifiers.pop("arch", None)
    place = qualifiers.pop("repository_url", "").rpartition("://")[2].strip("/")
    if image.version or qualifiers or not report.image_name:
        return False
    name = "/".join(filter(None, (image.namespace, image.name)))
    if place:
        return _full(report.image_name) in (_full(place), _full(f"{place}/{name}"))
    return f"/{report.image_name}".endswith(f"/{name}")


def _arch(url: str) -> str:
    """The platform that an image's package URL is about alone; empty where that is any."""
    image = _parsed(url)
    return str((image.qualifiers or {}).get("arch", "")) if image is not None and image.type in _IMAGES else ""


def _full(image: str) -> str:
    """The name of an image with the registry that it has without one."""
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        return image
    return f"{DEFAULT_REGISTRY if reference.registry in _HUB else reference.registry}/{reference.repository}"


@lru_cache(maxsize=4096)
def _parsed(url: str) -> Any:
    from packageurl import PackageURL

    if not url.startswith("pkg:") or len(url) > 2048:
        return None
    try:
        return PackageURL.from_string(url)
    except ValueError:
        return None
