"""Observations and feeds into changes; and changes again, when a feed catches up."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from bot.assess.cause import Difference, cause_of, compare, dotnet_cause
from bot.assess.dotnet.releases import Fixes, ReleaseIndex, family_name
from bot.assess.judged_cves import JudgedCves, judged
from bot.assess.relevance import relevance, relevance_to
from bot.assess.wording import dotnet_sentence, sentence
from bot.domain.bases.change import TOLD_BY_FEEDS, Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Evidence, Severity


def assess(
    before: Observation,
    after: Observation,
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> Change:
    """What changed and why, from what the feeds had shown by `now`.

    `before` is the last observation that had a digest, also where the base was withdrawn in between. `advisories`
    are looked up by CVE number; without one, a CVE counts as relevant and unrated. Raises ValueError where the
    two are no consecutive observations of one base.
    """
    _check(before, after)
    move = compare(before, after)
    family = family_name(after.base)
    fixes = Fixes(listed=False)
    if move.version_moved:
        fixes = _between(move.rolled_back, family, move.from_version, move.to_version, releases, now)
    cause = cause_of(move, fixes)
    tells_cves = cause in (Cause.DOTNET_SECURITY, Cause.ROLLBACK)
    found = judged(fixes.cves if tells_cves else (), advisories, lambda each: relevance_to(each, after))
    feed = fixes.evidence if cause in TOLD_BY_FEEDS else ()
    change = Change(
        base=after.base,
        at=after.at,
        from_digest=before.digest,
        to_digest=after.digest,
        cause=cause,
        cause_at_detection=cause,
        from_version=move.from_version,
        to_version=move.to_version,
        platforms=move.changed,
        evidence=(_seen(move, before, after), *feed, *found.evidence),
        detail=sentence(cause, move, family, len(_counted(cause, found)), found.severity),
    )
    return _with_cves(change, found)


def reassess(
    change: Change, releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> Change | None:
    """Returns the change with what the feeds show now; None where that is nothing new.

    Only what a .NET version fixes, or opens again, depends on feeds. What a feed once said is not forgotten because
    it is silent now: a release that it no longer lists changes nothing.
    """
    if change.cause not in TOLD_BY_FEEDS:
        return None
    family, is_back = family_name(change.base), change.cause is Cause.ROLLBACK
    fixes = _between(is_back, family, change.from_version, change.to_version, releases, now)
    cause = Cause.ROLLBACK if is_back else dotnet_cause(fixes)
    if cause is Cause.DOTNET_UNKNOWN or (is_back and not fixes.cves):
        return None
    found = judged(fixes.cves, advisories, lambda each: relevance(each, change.base, platforms=change.platforms))
    detail = _reworded(change, cause, family, len(_counted(cause, found)), found.severity)
    news = _with_cves(replace(change, cause=cause, detail=detail), found)
    known = (change.cause, change.cves, change.not_relevant, change.severity, change.reopens)
    if (news.cause, news.cves, news.not_relevant, news.severity, news.reopens) == known:
        return None
    evidence = tuple(dict.fromkeys((*change.evidence, *fixes.evidence, *found.evidence)))
    return replace(news, evidence=evidence)


def _between(
    is_back: bool,
    family: str,
    from_version: str | None,
    to_version: str | None,
    releases: ReleaseIndex,
    now: datetime,
) -> Fixes:
    """What the releases between two versions fix, which a step back loses."""
    ends = (to_version, from_version) if is_back else (from_version, to_version)
    return releases.fixed_between(family, *ends, now)


def _counted(cause: Cause, found: JudgedCves) -> tuple[str, ...]:
    """The CVEs that a sentence counts: all that are fixed, and of those that open again what concerns the image."""
    return found.concerning if cause is Cause.ROLLBACK else found.cves


def _with_cves(change: Change, found: JudgedCves) -> Change:
    """The change with the CVEs that it fixes, or opens again; only a fix has a severity."""
    if change.cause is Cause.ROLLBACK:
        return replace(change, reopens=found.concerning, links=found.links)
    return replace(
        change,
        cves=found.cves,
        not_relevant=found.not_relevant,
        severity=found.severity,
        ratings=found.ratings,
        links=found.links,
    )


def supported(change: Change, digest: str, ended: date, now: datetime) -> Change:
    """A withdrawal of which the registry's own mark on its last image, `digest`, tells the same.

    The mark is unsigned, and an image may be marked while its tag moves on: alone it withdraws nothing.
    """
    mark = Evidence("registry lifecycle", f"{digest}: end of life on {ended.isoformat()}", now)
    detail = f"{change.detail}; its publisher marked the image as at its end on {ended.isoformat()}"
    return replace(change, evidence=(*change.evidence, mark), detail=detail)


def _check(before: Observation, after: Observation) -> None:
    if before.base != after.base:
        raise ValueError(f"{before.base} and {after.base} are not the same base")
    if before.digest is None:
        raise ValueError(f"{before.base}: compare with the last observation that had a digest")
    if after.at < before.at:
        raise ValueError(f"{before.base}: observed at {after.at}, before {before.at}")


def _seen(move: Difference, before: Observation, after: Observation) -> Evidence:
    """What the registry or inventory showed, in its own words."""
    if move.withdrawn:
        return Evidence(str(after.base), f"no longer listed; was {before.digest}", after.at)
    shown = f"{before.digest} → {after.digest}"
    earlier = before.by_platform()
    for platform, image in after.by_platform().items():
        if image.platform in move.changed:
            old = earlier[platform]
            bottom = f"{_bottom(old.short_layers)} → {_bottom(image.short_layers)}"
            shown += f"; {image.platform} {old.os} → {image.os}, lowest layer {bottom}"
            break
    return Evidence(str(after.base), shown, after.at)


def _bottom(layers: tuple[str, ...]) -> str:
    return layers[0] if layers else "not recorded"


def _reworded(change: Change, cause: Cause, family: str, cves: int, severity: Severity | None) -> str:
    """Keeps what the sentence says beyond the feed's part (a distribution that changed along)."""
    _, _, rest = change.detail.partition("; ")
    text = dotnet_sentence(cause, family, change.from_version, change.to_version, cves, severity)
    return f"{text}; {rest}" if rest else text
