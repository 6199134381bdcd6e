"""What the rebuild of an own base brings to the images on it: causes, CVEs and severity of what it stands on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.bases.change import Cause, Change, Move, lasting
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Evidence, worst
from bot.domain.images.named_bases import is_unchanged
from bot.domain.wording.words import counted


@dataclass(frozen=True, slots=True)
class InheritedChanges:
    """The changes of the bases below an own base that its rebuild brings, in the order of their ids.

    `is_proved` says that the layers of both of its digests show them; else they are those that came between.
    """

    moves: tuple[Move, ...] = ()
    is_proved: bool = False


def as_base_update(change: Change, before: Observation, after: Observation, brought: InheritedChanges) -> Change:
    """The change of an own base, by what it brings along; a rebuild that left all layers as they were sets nothing
    off, and one on an older .NET stays a rollback."""
    if not change.cause.needs_rebuild or change.cause is Cause.ROLLBACK:
        return change
    if is_unchanged(before, after):
        detail = "rebuilt with the layers that it had; what stands on it lacks nothing"
        return replace(change, cause=Cause.INDEX_ONLY, cause_at_detection=Cause.INDEX_ONLY, detail=detail)
    below = [move.change for move in brought.moves]
    proof = "proved by the layers of both" if brought.is_proved else "it moved before this was rebuilt"
    evidence = [Evidence(str(each.base), f"{proof}: {each.detail or each.cause}", each.at) for each in below]
    update = replace(
        change,
        cause=Cause.BASE_UPDATE,
        cause_at_detection=Cause.BASE_UPDATE,
        evidence=(*change.evidence, *evidence),
        brings=tuple(move.id for move in brought.moves),
    )
    return _bring(update, below)


def brought_anew(change: Change, below: Sequence[Change]) -> Change | None:
    """Returns the change with what is known by now of those that it brings; None where that is nothing new."""
    news = _bring(change, below)
    old_facts = (change.causes, change.cves, change.not_relevant, change.severity)
    return None if not below or (news.causes, news.cves, news.not_relevant, news.severity) == old_facts else news


def _bring(change: Change, below: Sequence[Change]) -> Change:
    brought = lasting(below)
    cves = tuple(dict.fromkeys(cve for each in brought for cve in each.cves))
    concerning = {cve for each in brought for cve in each.cves if cve not in each.not_relevant}
    return replace(
        change,
        causes=tuple(dict.fromkeys(cause for each in brought for cause in each.root_causes if cause.needs_rebuild)),
        cves=cves,
        not_relevant=tuple(cve for cve in cves if cve not in concerning),
        severity=worst(each.severity for each in brought),
        links=tuple(dict.fromkeys(link for each in brought for link in each.links)),
        detail=_detail(below, len(cves)),
    )


def _detail(below: Sequence[Change], cves: int) -> str:
    """`rebuilt on aspnet:10.0-noble (.NET 10.0.4 → 10.0.5 fixes 2 CVEs)`."""
    if not below:
        return "rebuilt; what it stands on did not move"
    latest = {each.base: each for each in below}
    parts = [f"{base.short} ({change.detail or change.cause})" for base, change in sorted(latest.items())]
    fixes = f", {counted(cves, 'CVE')} in all" if cves and len(parts) > 1 else ""
    return f"rebuilt on {' and '.join(parts[:2])}{' and others' if len(parts) > 2 else ''}{fixes}"
