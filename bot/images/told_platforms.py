"""What is told of one platform of an image, and of how old the data is that it is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.evidence import Strength
from bot.domain.packages.cves.detected import DetectedVulnerability
from bot.domain.packages.package import Distribution, Package

DOTNET = "Microsoft (.NET)"
"""Who publishes what .NET itself is affected by."""


@dataclass(frozen=True, slots=True)
class ToldPlatform:
    """What is told of one platform of an image, or of one of several images of it, by its name (`named_apart`).
    `packages` are None where nothing tells them.

    `by_sbom` is the strength of the SBOM that told of them, None where layers did; `problems` say what could not be
    read, `error` why nothing was. `uncertain` are vulnerabilities of packages whose versions cannot be compared.
    """

    platform: str
    packages: tuple[Package, ...] | None = None
    distribution: Distribution | None = None
    problems: tuple[str, ...] = ()
    error: str | None = None
    by_sbom: Strength | None = None
    found: tuple[DetectedVulnerability, ...] = ()
    uncertain: tuple[DetectedVulnerability, ...] = ()
    digests: frozenset[str] = frozenset()
    """By which it alone goes: of its manifest and its configuration."""


@dataclass(frozen=True, slots=True)
class KeptData:
    """Of each publisher whose data is read: when it was last seen to be current, None where it was never read, and
    the releases and names that it was looked through for, None where it is kept as a whole. Where an API is asked
    in place of a dump, `asked` are the releases, names and versions that it was asked about. Of releases that are
    `untold` their publisher's dump says nothing at all. `unread` are the releases and names of packages about which
    there are records that cannot be read; publishers that are `illegible` have others of which nothing can. All go
    by the names of publications, of which an ecosystem may have several. `newest_at` is the newest time in what is
    kept of each, as far as that is known."""

    checked_at: Mapping[str, datetime | None]
    considered: Mapping[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    asked: Mapping[str, frozenset[tuple[str, str, str]]] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    unread: frozenset[tuple[str, str]] = frozenset()
    illegible: frozenset[str] = frozenset()
    newest_at: Mapping[str, datetime] = field(default_factory=dict)
