"""Observations and feeds into changes; and changes again, when a feed catches up."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from bot.assess.cause import Difference, cause_of, compare, dotnet_cause
from bot.assess.dotnet.releases import Fixes, ReleaseIndex, family_name
from bot.assess.judged_cves import judged
from bot.assess.relevance import relevance, relevance_to
from bot.assess.wording import dotnet_sentence, sentence
from bot.domain.bases.change import DOTNET_CAUSES, Cause, Change
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
    fixes = (
        releases.fixed_between(family, move.from_version, move.to_version, now)
        if move.version_moved
        else Fixes(listed=False)
    )
    cause = cause_of(move, fixes)
    fixed = judged(
        fixes.cves if cause is Cause.DOTNET_SECURITY else (), advisories, lambda each: relevance_to(each, after)
    )
    feed = fixes.evidence if cause in DOTNET_CAUSES else ()
    return Change(
        base=after.base,
        at=after.at,
        from_digest=before.digest,
        to_digest=after.digest,
        cause=cause,
        cause_at_detection=cause,
        from_version=move.from_version,
        to_version=move.to_version,
        cves=fixed.cves,
        not_relevant=fixed.not_relevant,
        severity=fixed.severity,
        ratings=fixed.ratings,
        links=fixed.links,
        platforms=move.changed,
        evidence=(_seen(move, before, after), *feed, *fixed.evidence),
        detail=sentence(cause, move, family, len(fixed.cves), fixed.severity),
    )


def reassess(
    change: Change, releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> Change | None:
    """Returns the change with what the feeds show now; None where that is nothing new.

    Only a .NET version's cause depends on feeds. What a feed once said is not forgotten because it is silent now: a
    release that it no longer lists changes nothing.
    """
    if change.cause not in DOTNET_CAUSES:
        return None
    family = family_name(change.base)
    fixes = releases.fixed_between(family, change.from_version, change.to_version, now)
    cause = dotnet_cause(fixes)
    if cause is Cause.DOTNET_UNKNOWN:
        return None
    fixed = judged(fixes.cves, advisories, lambda each: relevance(each, change.base, platforms=change.platforms))
    known = (change.cause, change.cves, change.not_relevant, change.severity)
    if (cause, fixed.cves, fixed.not_relevant, fixed.severity) == known:
        return None
    return replace(
        change,
        cause=cause,
        cves=fixed.cves,
        not_relevant=fixed.not_relevant,
        severity=fixed.severity,
        ratings=fixed.ratings,
        links=fixed.links,
        evidence=tuple(dict.fromkeys((*change.evidence, *fixes.evidence, *fixed.evidence))),
        detail=_reworded(change, cause, family, len(fixed.cves), fixed.severity),
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
    for platform, [image, *_] in after.by_platform().items():
        if platform in move.changed:
            [old, *_] = earlier[platform]
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
