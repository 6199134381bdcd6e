"""What the move of a mirror's base brings: the causes and advisories of what upstream published before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.mirrors import copied
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Evidence
from bot.domain.reference import Base
from bot.domain.wording.words import duration


@dataclass(frozen=True, slots=True)
class MirroredBase:
    """The base that a mirror's base is a copy of, with what it showed and how it moved, oldest first."""

    base: Base
    sights: Sequence[Observation]
    moves: Sequence[Move]


def as_upstream(change: Change, before: Observation, after: Observation, upstream: MirroredBase) -> Change:
    """The change of a mirror's base, assessed under upstream's name, with what upstream's own changes say.

    Where the copy came one publication further, cause, fixes and severity are those of upstream's change; where it
    left some out, they are those of the whole way, and these changes are named. `brings` has their ids, so that the
    copy goes on with the rollout that they began.
    """
    change = replace(change, base=after.base)
    if after.digest is None:
        return change
    was, now = copied(before, upstream.sights), copied(after, upstream.sights)
    if now.shows is None or now.likeness is None:
        text = f"{upstream.base} was not seen with {after.digest}"
        return replace(change, evidence=(*change.evidence, Evidence("mirror", text, after.at)))
    lag = duration(max(after.at - now.shows.at, timedelta()))
    text = f"{now.likeness.told} as {upstream.base}, which showed it {lag} earlier"
    evidence = (*change.evidence, Evidence("mirror", text, after.at))
    change = replace(change, evidence=evidence, published_at=now.shows.at)
    if was.shows is not None and now.shows.at <= was.shows.at:
        return _no_news(change, "pushed anew" if now.shows == was.shows else "shows what it had shown before")
    since = was.shows.at if was.shows is not None else before.at
    moves_brought = [move for move in upstream.moves if since < move.change.at <= now.shows.at]
    followed_change = replace(change, brings=tuple(move.id for move in moves_brought))
    if len(moves_brought) != 1:
        return followed_change
    origin = moves_brought[0].change
    return replace(
        followed_change,
        cause=origin.cause,
        cause_at_detection=origin.cause_at_detection,
        cves=origin.cves,
        not_relevant=origin.not_relevant,
        reopens=origin.reopens,
        severity=origin.severity,
        ratings=origin.ratings,
        links=origin.links,
        evidence=tuple(dict.fromkeys((*origin.evidence, *evidence))),
        detail=origin.detail or change.detail,
    )


def _no_news(change: Change, action: str) -> Change:
    """What stands on the copy lacks nothing that it has now."""
    detail = f"{action}; upstream has published nothing new that it shows"
    return replace(
        change,
        cause=Cause.INDEX_ONLY,
        cause_at_detection=Cause.INDEX_ONLY,
        cves=(),
        not_relevant=(),
        reopens=(),
        severity=None,
        ratings=(),
        links=(),
        detail=detail,
    )
