"""From when until when each build ran in a place, as snapshots of a source tell it one after another.

Only a whole snapshot closes a run. Between two whole ones that lie close together nothing is unknown; a longer time
without one is a hole, of which it is not known what ran.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.running.snapshot import AZURE_KINDS, RunningContainer, RunningPlace, Snapshot

STALE_AFTER = timedelta(minutes=30)
"""So long a whole snapshot tells what runs, where the settings say nothing else."""


@dataclass(frozen=True, slots=True)
class RunningSource:
    """One source as the settings name it; the bot asks it `every` so often, or it tells by itself where that is
    None. Without a whole snapshot for longer than `stale_after` it is not known what runs there."""

    name: str
    environment: str = ""
    stale_after: timedelta = STALE_AFTER
    every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RunInPlace:
    """One digest that runs, or ran, in one place; `image` is how the workload names it.

    It was last seen at `seen_at`, and a whole snapshot at `until` did not show it any more. It `is_older` where it
    may have run before `since`.
    """

    place: RunningPlace
    digest: str
    image: str
    since: datetime
    is_older: bool
    seen_at: datetime
    pods: int = 1
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """A time through which it is known what ran: from one whole snapshot to the last that followed closely."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """What is kept of a source: when it told last, the latest coverage, and the runs that nothing has ended."""

    told_at: datetime | None = None
    coverage: Coverage | None = None
    runs: tuple[RunInPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What a snapshot makes of it. `pulling` are places where a container waits for its image, or of which no
    digest is told; a run goes on where one waits, since nothing else runs there yet."""

    opened: tuple[RunInPlace, ...]
    extended: tuple[RunInPlace, ...]
    closed: tuple[RunInPlace, ...]
    coverage: Coverage | None
    pulling: frozenset[RunningPlace]


def changes_by(kept: KeptRuns, snapshot: Snapshot, stale_after: timedelta) -> RunChanges | None:
    """Decides which runs a snapshot opens, extends and closes; None for one that is no later than what is known."""
    if kept.told_at is not None and snapshot.taken_at <= kept.told_at:
        return None
    shown = _joined(snapshot.containers)
    pulling = frozenset(each.place for each in snapshot.containers if each.digest is None)
    waiting = {place for place in pulling if place.kind not in AZURE_KINDS}
    opened, extended, closed = list[RunInPlace](), list[RunInPlace](), list[RunInPlace]()
    for run in kept.runs:
        container = shown.pop((run.place, run.digest), None)
        if container is not None:
            extended.append(_extended(run, container, snapshot.taken_at))
        elif snapshot.is_whole and run.place not in waiting:
            closed.append(replace(run, until=snapshot.taken_at))
    absent_at = kept.coverage.until if kept.coverage is not None else None
    opened += (_opened(each, snapshot, absent_at) for each in shown.values())
    coverage = covered(kept.coverage, snapshot.taken_at, stale_after) if snapshot.is_whole else kept.coverage
    return RunChanges(tuple(opened), tuple(extended), tuple(closed), coverage, pulling)


def covered(last: Coverage | None, taken_at: datetime, stale_after: timedelta) -> Coverage:
    """The coverage once a whole snapshot was taken: the last one goes on, or begins anew behind a hole."""
    is_close = last is not None and taken_at - last.until <= stale_after
    return Coverage(last.since if last is not None and is_close else taken_at, taken_at)


def _opened(container: RunningContainer, snapshot: Snapshot, absent_at: datetime | None) -> RunInPlace:
    """A run that nothing is known of. It has begun after the last whole snapshot, which did not show it."""
    assert container.digest is not None
    is_older = container.restarts > 0 or container.started_at is None or not snapshot.is_whole
    since = min(container.started_at or snapshot.taken_at, snapshot.taken_at)
    if absent_at is not None:
        since = max(since, absent_at)
    where = container.place, container.digest, container.image
    return RunInPlace(*where, since, is_older, snapshot.taken_at, container.pods)


def _extended(run: RunInPlace, container: RunningContainer, taken_at: datetime) -> RunInPlace:
    """A restart moves `started_at` and begins nothing; an earlier one tells more of a run that is older."""
    since = run.since
    if run.is_older and container.started_at is not None:
        since = min(since, container.started_at)
    return replace(run, since=since, seen_at=taken_at, pods=container.pods, image=container.image)


def _joined(containers: Iterable[RunningContainer]) -> dict[tuple[RunningPlace, str], RunningContainer]:
    """What runs by place and digest, also where a source tells of the same twice."""
    shown: dict[tuple[RunningPlace, str], RunningContainer] = {}
    for each in containers:
        if each.digest is not None:
            key = each.place, each.digest
            shown[key] = _added(shown[key], each) if key in shown else each
    return shown


def _added(container: RunningContainer, other: RunningContainer) -> RunningContainer:
    starts = [at for at in (container.started_at, other.started_at) if at is not None]
    restarts, pods = max(container.restarts, other.restarts), container.pods + other.pods
    return replace(container, started_at=min(starts, default=None), restarts=restarts, pods=pods)
