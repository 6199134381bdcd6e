"""What a bundle holds: documents of feeds as they are kept, and what was kept of each dump of vulnerabilities."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.feeds.document import FeedSource, StoredDocument
from bot.domain.packages.cves.publication import DumpMark
from bot.domain.packages.cves.vulnerability import Vulnerability
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.record import WantedPackages


@dataclass(frozen=True, slots=True)
class BundledDocument:
    """A document, with the times at which its own address was asked for it."""

    source: FeedSource
    document: StoredDocument


@dataclass(frozen=True, slots=True)
class FixSeen:
    """Since when a version of a package is known to be free of what a record tells."""

    release: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BundledRecord:
    """A record with the times at which it, and the fixes in it, were first seen."""

    vulnerability: Vulnerability
    seen_at: datetime
    fixes: tuple[FixSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class BundledDump:
    """What was kept of a dump, and which packages were looked for in it: of others it tells nothing.

    `entries` counts all records that the dump had; `newest_at` is when one of them was changed last.
    """

    source: DumpSource
    mark: DumpMark
    considered: WantedPackages
    reader: str
    entries: int
    fetched_at: datetime
    checked_at: datetime
    records: tuple[BundledRecord, ...]
    problems: tuple[str, ...] = ()
    newest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that a bundle holds, read and checked. `is_signed` says that it has a signature, whoever made it."""

    documents: tuple[BundledDocument, ...]
    dumps: tuple[BundledDump, ...]
    is_signed: bool = False
