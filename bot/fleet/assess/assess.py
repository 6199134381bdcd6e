"""Makes changes of observations and feeds with the CVEs that they fix, and again when a feed catches up."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from bot.domain.bases.change import TOLD_BY_FEEDS, Cause, Change
from bot.domain.bases.observation import Difference, Observation, compare
from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.fleet.assess.wording import dotnet_sentence, sentence
from bot.upstream.dotnet.fixing import AHEAD, JudgedCves, cause_of_layers, dotnet_cause, fixes_between, judged
from bot.upstream.dotnet.releases import Fixes, ReleaseIndex, family_name
from bot.upstream.dotnet.relevance import relevance, relevance_to


def assess(
    before: Observation,
    after: Observation,
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> Change:
    """Says what changed and why, from what the feeds had shown by `now`.

    `before` is the last observation that had a digest, also where the base was withdrawn in between. `advisories`
    are looked up by CVE number; without one, a CVE counts as relevant and unrated. Raises ValueError where the
    two are no consecutive observations of one base.
    """
    _check(before, after)
    move = compare(before, after)
    family = family_name(after.base)
    fixes = Fixes(listed=False)
    if move.version_moved:
        versions = _order_upwards(move.rolled_back, move.from_version, move.to_version)
        fixes = fixes_between(releases, advisories, (family, *versions), now)
    cause = cause_of(move, fixes)
    judged_cves = judged(fixes.cves, advisories, lambda each: relevance_to(each, after))
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
        evidence=(_word_of_registry(move, before, after), *feed, *judged_cves.evidence),
        detail=sentence(cause, move, family, _fixes_to_count(cause, fixes, judged_cves), judged_cves.severity),
    )
    return _add_cves(change, judged_cves)


def reassess(
    change: Change, releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> Change | None:
    """Returns the change with what the feeds show now; None where that is nothing new.

    Only what a .NET version fixes, or opens again, depends on feeds. What they once said is not forgotten because
    they are silent now; what its source has taken back is, and is told. What was told ahead of the release feed is
    joined with its word.
    """
    if change.cause not in TOLD_BY_FEEDS:
        return None
    is_back = change.cause is Cause.ROLLBACK
    versions = _order_upwards(is_back, change.from_version, change.to_version)
    fixes = fixes_between(releases, advisories, (family_name(change.base), *versions), now)
    cause = Cause.ROLLBACK if is_back else dotnet_cause(fixes)
    was_ahead = tuple(row for row in change.evidence if row.source == AHEAD)
    says_nothing = not fixes.cves if is_back else cause is Cause.DOTNET_UNKNOWN
    if says_nothing and not (fixes.taken_back or fixes.unsaid or was_ahead):
        return None
    judged_cves = judged(
        fixes.cves, advisories, lambda each: relevance(each, change.base, platforms=change.platforms)
    )
    is_ahead = tuple(row for row in fixes.evidence if row.source == AHEAD)
    news = _add_cves(replace(change, cause=cause), judged_cves)
    if (_conclusion(news), _locators_of(is_ahead)) == (_conclusion(change), _locators_of(was_ahead)):
        return None
    lost_cves = tuple(cve for cve in (*change.cves, *change.reopens) if cve not in judged_cves.cves)
    earlier_evidence = (row for row in change.evidence if row not in was_ahead)
    retraction = (
        (Evidence("taken back", ", ".join((*fixes.taken_back, *lost_cves)), now),)
        if fixes.taken_back or lost_cves
        else ()
    )
    counted_fixes = _fixes_to_count(cause, fixes, judged_cves)
    return replace(
        news,
        evidence=tuple(dict.fromkeys((*earlier_evidence, *fixes.evidence, *judged_cves.evidence, *retraction))),
        detail=_reword(change, cause, counted_fixes, judged_cves.severity, fixes.taken_back or lost_cves),
    )


def _order_upwards(is_back: bool, before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """The two versions with the older first: a step back loses what lies between them."""
    return (after, before) if is_back else (before, after)


def _fixes_to_count(cause: Cause, fixes: Fixes, judged_cves: JudgedCves) -> Fixes:
    """What a sentence counts: all that is fixed, and of what opens again that which concerns the image."""
    return replace(fixes, cves=judged_cves.concerning) if cause is Cause.ROLLBACK else fixes


def _add_cves(change: Change, judged_cves: JudgedCves) -> Change:
    """The change with the CVEs that it fixes, or opens again; only a fix has a severity."""
    if change.cause is Cause.ROLLBACK:
        return replace(change, reopens=judged_cves.concerning, links=judged_cves.links)
    return replace(
        change,
        cves=judged_cves.cves,
        not_relevant=judged_cves.not_relevant,
        severity=judged_cves.severity,
        ratings=judged_cves.ratings,
        links=judged_cves.links,
    )


def _conclusion(change: Change) -> tuple[object, ...]:
    cve_sets = (frozenset(each) for each in (change.cves, change.not_relevant, change.reopens))
    return (change.cause, change.severity, *cve_sets)


def _locators_of(evidence: tuple[Evidence, ...]) -> set[str]:
    return {row.locator for row in evidence}


def supported(change: Change, digest: str, end_day: date, now: datetime) -> Change:
    """A withdrawal of which the registry's own mark on its last image, `digest`, tells the same.

    The mark is unsigned, and an image may be marked while its tag moves on: alone it withdraws nothing.
    """
    mark = Evidence("registry lifecycle", f"{digest}: end of life on {end_day.isoformat()}", now)
    detail = f"{change.detail}; its publisher marked the image as at its end on {end_day.isoformat()}"
    return replace(change, evidence=(*change.evidence, mark), detail=detail)


def _check(before: Observation, after: Observation) -> None:
    if before.base != after.base:
        raise ValueError(f"{before.base} and {after.base} are not the same base")
    if before.digest is None:
        raise ValueError(f"{before.base}: compare with the last observation that had a digest")
    if after.at < before.at:
        raise ValueError(f"{before.base}: observed at {after.at}, before {before.at}")


def _word_of_registry(move: Difference, before: Observation, after: Observation) -> Evidence:
    """What the registry or inventory showed, in its own words."""
    if move.withdrawn:
        return Evidence(str(after.base), f"no longer listed; was {before.digest}", after.at)
    text = f"{before.digest} → {after.digest}"
    earlier = before.by_platform()
    for platform, [image, *_] in after.by_platform().items():
        if platform in move.changed:
            [old, *_] = earlier[platform]
            bottom = f"{_bottom(old.short_layers)} → {_bottom(image.short_layers)}"
            text += f"; {image.platform} {old.os} → {image.os}, lowest layer {bottom}"
            break
    return Evidence(str(after.base), text, after.at)


def _bottom(layers: tuple[str, ...]) -> str:
    return layers[0] if layers else "not recorded"


def _reword(
    change: Change, cause: Cause, fixes: Fixes, severity: Severity | None, taken_back: tuple[str, ...]
) -> str:
    """Keeps what the sentence says beyond the feed's part (a distribution that changed along)."""
    _, _, rest = change.detail.partition("; ")
    versions = (change.from_version, change.to_version)
    text = dotnet_sentence(cause, family_name(change.base), versions, fixes, severity, taken_back)
    return f"{text}; {rest}" if rest else text


def cause_of(move: Difference, fixes: Fixes) -> Cause:
    """The cause of a move, by the design's order: a version wins over the OS, the OS over other layers."""
    if move.withdrawn:
        return Cause.WITHDRAWN
    if move.returned:
        return Cause.RETURNED
    if move.rolled_back:
        return Cause.ROLLBACK
    if move.channel_moved:
        return Cause.CHANNEL_MOVE
    if move.version_moved:
        return dotnet_cause(fixes)
    return cause_of_layers(move)
