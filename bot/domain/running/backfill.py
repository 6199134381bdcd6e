"""What ran in a source before its own first list, as samples that somebody kept of its containers tell it.

Samples lie on a grid. Of a moment without one nothing is known, and of a moment at which one names no digest or no
workload it is not known what else ran: neither is covered. What the source told itself is left as it is.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.domain.running.runs import Coverage, RunInPlace, covered
from bot.domain.running.snapshot import RunningPlace

STEP = timedelta(minutes=5)
"""From one sample to the next: as often as a source is listed itself."""
MOMENTS = 36
"""How many moments of the grid are asked for at once."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[RunningPlace, str]
"""A place, and a digest in it."""


@dataclass(frozen=True, slots=True)
class SampledContainer:
    """One digest in one place, with the moments at which a sample shows it, the earliest first, and its `pods` at
    the last."""

    place: RunningPlace
    digest: str
    image: str
    seen: tuple[datetime, ...]
    pods: int


@dataclass(frozen=True, slots=True)
class SampledWindow:
    """What samples tell of the moments from `since` to `until`; at those in `whole` all that ran is told."""

    since: datetime
    until: datetime
    containers: tuple[SampledContainer, ...]
    whole: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class KeptPast:
    """What is kept of the past of a source, which told first at `first_at`: the latest coverage and the runs that
    went on when the last window ended. `own` is since when its own runs are known."""

    first_at: datetime
    coverage: Coverage | None = None
    runs: tuple[RunInPlace, ...] = ()
    own: Mapping[Key, datetime] = field(default_factory=dict)

    def end_of(self, key: Key) -> datetime:
        """When what goes on counts as ended: its own run begins, or the first list does not show it."""
        return min(self.own.get(key, self.first_at), self.first_at)


@dataclass(frozen=True, slots=True)
class PastChanges:
    """What a window makes of it. Each run has an end; that of one which goes on is the end that it has unless a
    later window shows another."""

    opened: tuple[RunInPlace, ...]
    extended: tuple[RunInPlace, ...]
    covered: tuple[Coverage, ...]


def begin_of(first_at: datetime, reach: timedelta) -> datetime:
    """The moment of the grid right before the first that is asked for, so far back."""
    return _EPOCH + (first_at - reach - _EPOCH) // STEP * STEP


def window_after(read_to: datetime, first_at: datetime) -> tuple[datetime, datetime] | None:
    """The first and last moment that are to be asked for next; None once the source told by itself."""
    since = read_to + STEP
    if since >= first_at:
        return None
    last = since + (first_at - since - timedelta.resolution) // STEP * STEP
    return since, min(last, since + (MOMENTS - 1) * STEP)


def changes_by_samples(kept: KeptPast, window: SampledWindow) -> PastChanges:
    """Decides which runs of the past a window opens, and which of those that went on it extends or ends."""
    open_runs = {(run.place, run.digest): run for run in kept.runs}
    opened, extended = list[RunInPlace](), list[RunInPlace]()
    for container in window.containers:
        key = container.place, container.digest
        last = open_runs.pop(key, None)
        runs = list(_runs_of(container, last, kept, window))
        extended += runs[:1] if last is not None else ()
        opened += runs[1:] if last is not None else runs
    for key, run in open_runs.items():
        extended.append(replace(run, until=_end(run, kept.end_of(key), window.whole)))
    return PastChanges(tuple(opened), tuple(extended), tuple(_coverage(kept, window)))


def _runs_of(
    container: SampledContainer, last: RunInPlace | None, kept: KeptPast, window: SampledWindow
) -> Iterator[RunInPlace]:
    """The runs of one digest in one place, beginning with the `last` that went on."""
    key = container.place, container.digest
    end, run = kept.end_of(key), last
    absent_at = {at + STEP for at in window.whole} | ({kept.coverage.until + STEP} if kept.coverage else set())
    for at in container.seen:
        if at >= end:
            break
        if run is not None and (absent := _absent(run.seen_at, window.whole)) is not None and absent < at:
            yield replace(run, until=absent)
            run = None
        if run is None:
            run = RunInPlace(*key, container.image, at, at not in absent_at, at, container.pods)
        else:
            run = replace(run, seen_at=at, image=container.image, pods=container.pods)
    if run is not None:
        yield replace(run, until=_end(run, end, window.whole))


def _absent(seen_at: datetime, whole: Sequence[datetime]) -> datetime | None:
    """The first moment after that at which all is told."""
    place = bisect_right(whole, seen_at)
    return whole[place] if place < len(whole) else None


def _end(run: RunInPlace, end: datetime, whole: Sequence[datetime]) -> datetime:
    absent = _absent(run.seen_at, whole)
    return end if absent is None else min(absent, end)


def _coverage(kept: KeptPast, window: SampledWindow) -> Iterable[Coverage]:
    """The times that are covered, the first of which may go on from the window before. One that reaches up to the
    first list of the source ends there."""
    times = dict[datetime, Coverage]()
    last = kept.coverage
    for at in window.whole:
        last = covered(last, at, STEP)
        times[last.since] = last
    if last is not None and last.until < kept.first_at <= last.until + STEP:
        times[last.since] = replace(last, until=kept.first_at)
    return times.values()
