"""Where publications of one publisher say different things of a record: each counts, and the difference is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import AffectedPackage
from bot.domain.packages.versions import BadVersion, compare_to_named

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
