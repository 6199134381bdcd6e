"""Whether places were rid of a CVE within the time that the policy promises, as far as anybody saw it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.packages.ledger.clocks import Passage
from bot.domain.running.causes import ExposureCause, Way
from bot.domain.running.exposure import ExposedTime


class PromiseState(StrEnum):
    """Whether a place was rid of a CVE within the promised time."""

    KEPT = "kept"
    MISSED = "missed"
    IN_TIME = "in time"
    """Nothing without it was seen there yet, and the time is not over."""
    UNKNOWN = "not known"


BEST_FIRST = (PromiseState.KEPT, PromiseState.IN_TIME, PromiseState.UNKNOWN, PromiseState.MISSED)
"""Of several times the worst one counts."""


@dataclass(frozen=True, slots=True)
class BuildBeside:
    """A build without the CVE, from when it was first until it was last seen in the place; one that is not whole
    may have it all the same."""

    since: datetime
    seen_at: datetime
    is_whole: bool


@dataclass(frozen=True, slots=True)
class PromisedTime:
    """A time for which a promise is judged. `is_rid` once a build without the CVE was seen after it; None where
    that may have it too."""

    time: ExposedTime
    is_rid: bool | None = False


def promised_times(times: Iterable[ExposedTime], others: Collection[BuildBeside]) -> Iterator[PromisedTime]:
    """Joins the times between which nothing else was seen: a job that runs for minutes is not rid of anything."""
    last: ExposedTime | None = None
    for each in times:
        if last is not None:
            is_rid = _is_rid(last, others, each.since)
            if is_rid is not False:
                yield PromisedTime(last, is_rid)
                last = None
        last = each if last is None else replace(each, since=last.since, is_older=last.is_older)
    if last is not None:
        yield PromisedTime(last, _is_rid(last, others, None))


def _is_rid(time: ExposedTime, others: Collection[BuildBeside], before: datetime | None) -> bool | None:
    """Not known where a build that may have it too ran after the time, until the first without it did."""
    until = time.until
    if until is None:
        return False
    after = [each for each in others if each.seen_at >= until and (before is None or each.since < before)]
    if not after:
        return False
    rid_at = min((max(each.since, until) for each in after if each.is_whole), default=None)
    is_doubtful = any(not each.is_whole and (rid_at is None or each.since <= rid_at) for each in after)
    return None if is_doubtful else True


def promise_state(
    promised: PromisedTime, way: Way, within: timedelta, at: datetime, *, is_known: bool = True
) -> PromiseState | None:
    """How a promise stands for one time. It runs from when the place has the CVE and there is a fix; None as long
    as there is none. What ended, or began, when nobody saw it is judged only where that makes no difference;
    `is_known` says whether it is known what runs there `at` the end."""
    time = promised.time
    fix = next((each for each in way if each[0] is ExposureCause.NO_FIX), None)
    if fix is None or fix[1] is Passage.WAITING:
        return None
    if fix[1] is not Passage.PASSED:
        return PromiseState.UNKNOWN
    fixed_at = fix[2]
    earliest = time.since if fixed_at is None else max(time.since, fixed_at)
    until = time.until or at
    if until < earliest:
        return None
    is_begun = not (time.is_older and earliest == time.since)
    if fixed_at is not None and min(until, time.seen_at) - earliest > within:
        return PromiseState.MISSED
    end = until if promised.is_rid else at
    if end - earliest > within or not is_begun or promised.is_rid is None:
        return PromiseState.UNKNOWN
    if promised.is_rid:
        return PromiseState.KEPT
    return PromiseState.IN_TIME if is_known else PromiseState.UNKNOWN
