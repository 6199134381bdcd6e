"""What is published of vulnerabilities, as it is read: dumps, records asked for, and where they disagree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import IO, Self

from bot.domain.packages.cves.vulnerability import AffectedPackage, Ecosystem
from bot.domain.packages.versions import BadVersion, compare_to_named

_OVAL_OF = {"Azure Linux 3 OVAL": "Azure Linux:3", "Azure Linux 2 OVAL": "Azure Linux:2"}


class CvePublication(StrEnum):
    """Each source of records, by the name under which it is kept and named as the publisher of what it says.

    Those of OSV are called like the ecosystem that they are of. Of Azure Linux there are several: its OVAL is
    written anew each day, and what OSV has is made of it, and has stood still for months.
    """

    UBUNTU = Ecosystem.UBUNTU.value
    DEBIAN = Ecosystem.DEBIAN.value
    ALPINE = Ecosystem.ALPINE.value
    AZURE_LINUX_3_OVAL = "Azure Linux 3 OVAL"
    AZURE_LINUX_2_OVAL = "Azure Linux 2 OVAL"
    AZURE_LINUX = Ecosystem.AZURE_LINUX.value
    NUGET = Ecosystem.NUGET.value

    @property
    def ecosystem(self) -> Ecosystem:
        release = self.release
        return Ecosystem(self.value if release is None else release.partition(":")[0])

    @property
    def release(self) -> str | None:
        """The one release that it tells of, as OSV names it; None where it tells of all."""
        return _OVAL_OF.get(self.value)

    @property
    def is_oval(self) -> bool:
        return self.release is not None

    def tells_of(self, release: str) -> bool:
        """Whether it may tell of a release of its ecosystem."""
        return self.release in (None, release)


def publications_of(ecosystem: Ecosystem, release: str) -> tuple[CvePublication, ...]:
    """All that tell of a release, the one that counts first before the others."""
    return tuple(each for each in CvePublication if each.ecosystem is ecosystem and each.tells_of(release))


@dataclass(frozen=True, slots=True)
class DumpMark:
    """Validators of the server that gave it, or size and time of its file."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of_file(cls, size: int, written_ns: int) -> Self:
        """Of a file of so many bytes, written so many nanoseconds after 1970."""
        return cls(f"{size}", f"{written_ns}")

    @property
    def written_at(self) -> datetime | None:
        """When a file was written; None where it is no mark of a file."""
        if not self.last_modified.isdecimal() or not self.last_modified.isascii():
            return None
        try:
            return datetime.fromtimestamp(int(self.last_modified) // 10**9, UTC)
        except (ValueError, OverflowError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class OpenedDump:
    """A dump to be read; a temporary file is gone once it is closed."""

    file: IO[bytes]
    mark: DumpMark


_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class ToldAffected:
    """What a publication says in a record of that name of one package."""

    publication: CvePublication
    record: str
    affected: AffectedPackage


def disagreements(statements: Iterable[ToldAffected]) -> tuple[str, ...]:
    """A sentence for each package of a record of which not all publications that have the record say the same."""
    about: dict[tuple[str, str, str], dict[CvePublication, AffectedPackage]] = {}
    for each in statements:
        key = (each.record, each.affected.release, each.affected.name)
        about.setdefault(key, {})[each.publication] = each.affected
    sentences = [
        _sentence_about(record, name, several)
        for (record, _, name), several in sorted(about.items())
        if _differ(several)
    ]
    return tuple(sentences[:_MOST_TOLD])


def _differ(by_publication: Mapping[CvePublication, AffectedPackage]) -> bool:
    first, *others = by_publication.values()
    return any(not _is_same(first, each) for each in others)


def _is_same(affected: AffectedPackage, other: AffectedPackage) -> bool:
    """Whether both end at the same builds, however much of them each names."""
    ends = [(each.fixed, each.last_affected) for each in affected.ranges]
    others = [(each.fixed, each.last_affected) for each in other.ranges]
    pairs = zip(ends, others, strict=True) if len(ends) == len(others) else None
    return pairs is not None and all(
        _is_one(affected.type, first, second) for pair in pairs for first, second in zip(*pair, strict=True)
    )


def _is_one(package_type: str, first: str, second: str) -> bool:
    if not first or not second:
        return first == second
    try:
        return compare_to_named(package_type, first, second) == 0
    except BadVersion:  # the first one is the bare one
        return compare_to_named(package_type, second, first) == 0


def _sentence_about(record: str, name: str, by_publication: Mapping[CvePublication, AffectedPackage]) -> str:
    words = ", ".join(
        f"{_end(affected)} by {publication}" for publication, affected in sorted(by_publication.items())
    )
    return f"{record} is told in different ways of {name}: {words}; each counts"


def _end(affected: AffectedPackage) -> str:
    if not affected.ranges and not affected.versions:
        return "not affected"
    fixed = ", ".join(each.fixed for each in affected.ranges if each.fixed)
    last = ", ".join(each.last_affected for each in affected.ranges if each.last_affected)
    return f"fixed in {fixed}" if fixed else f"not fixed, up to {last}" if last else "not fixed"
