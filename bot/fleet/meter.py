"""The metrics of one process: counted as things happen, and read from the store when somebody asks."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

from bot.domain.bases.notice import PROMISES, PromiseRow, Topic
from bot.fleet import metrics as table
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.metrics import METRICS, Metric, MetricKind
from bot.reconcile.work import Hooks, RowOutcome
from bot.views.fleet.figures import Figures, Marks, News

disable_created_metrics()  # type: ignore[no-untyped-call]

OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_KEPT = 2_000
"""Rows that are remembered as counted, a few times the overlap of two looks."""


class FigureSource(Protocol):
    """Where figures come from: the store."""

    async def figures(self) -> Figures: ...
    async def marks(self) -> Marks: ...
    async def news(self, marks: Marks) -> News: ...


@dataclass(slots=True)
class _CountedIds:
    """The ids that a counter has counted, the latest of them."""

    last: int = 0
    ids: set[int] = field(default_factory=set)

    def new(self, ids: Iterable[int]) -> set[int]:
        new_ids = {each for each in ids if each not in self.ids and each > self.last - _KEPT}
        self.ids |= new_ids
        if self.ids:
            self.last = max(self.last, *self.ids)
            self.ids = {each for each in self.ids if each > self.last - _KEPT}
        return new_ids


class Meter:
    """`hosts` are those that a setting names: all others share one label."""

    def __init__(self, hosts: Collection[str] = ()) -> None:
        self._hosts = frozenset(hosts)
        self._registry = CollectorRegistry(auto_describe=True)
        self._made = {metric.name: _instrument(metric, self._registry) for metric in METRICS}
        self._transitions, self._changes, self._notices = _CountedIds(), _CountedIds(), _CountedIds()
        self._began = False
        self._asking = asyncio.Lock()

    def answered(self, host: str, method: str, status: int | None) -> None:
        """A request to others came to its end; `status` is None where there was no answer."""
        host_label = host if host in self._hosts else OTHER
        verb = method if method in _METHODS else OTHER
        self._counter(table.REQUESTS).labels(host_label, verb, "none" if status is None else str(status)).inc()

    def left(self, resource: str, remaining: int, limit: int) -> None:
        """What GitHub says of its limits."""
        self._gauge(table.BUDGET).labels(resource).set(remaining)
        self._gauge(table.BUDGET_LIMIT).labels(resource).set(limit)

    def row_ended(self, stage: str, outcome: RowOutcome) -> None:
        self._counter(table.ROWS).labels(stage, outcome.value).inc()

    def ticked(self, stage: str, took: timedelta, problems: int, *, broke: bool) -> None:
        self._histogram(table.TICKS).labels(stage).observe(took.total_seconds())
        self._counter(table.TICK_PROBLEMS).labels(stage).inc(problems)
        self._counter(table.TICK_FAILURES).labels(stage).inc(int(broke))

    def settings_refused(self, are: bool) -> None:
        """The settings changed, and what they hold now cannot be taken up."""
        self._gauge(table.SETTINGS_REFUSED).set(int(are))

    def has_no_room(self, has_none: bool) -> None:
        """The store could not be written for want of room on its disk, and has not been since."""
        self._gauge(table.STORE_FULL).set(int(has_none))

    def served(self, page: str, status: int, seconds: float) -> None:
        """A request to the bot's own page was answered."""
        self._histogram(table.ANSWERS).labels(page, f"{status // 100}xx").observe(seconds)

    def delivered(self, source: str, outcome: str) -> None:
        """An event came in."""
        self._counter(table.DELIVERIES).labels(source, outcome).inc()

    async def metrics_text(self, source: FigureSource, beats: Heartbeats, now: datetime) -> bytes:
        """Writes all metrics in Prometheus' text format; raises `Failure` where the store does not answer."""
        async with self._asking:
            if not self._began:
                await self.begin(source)
            self._take(await source.figures())
            self._add(await source.news(self._marks()))
            late = beats.late(now)
            for stage in beats.beats:
                self._gauge(table.LATE).labels(stage).set(int(stage in late))
            return generate_latest(self._registry)

    async def begin(self, source: FigureSource) -> None:
        """Counters of the store begin at zero now, as those of a process do."""
        marks = await source.marks()
        news = await source.news(marks)
        self._transitions = _CountedIds(marks.transition, {each.transition for each in news.ended})
        self._changes = _CountedIds(marks.change, {each.id for each in news.changes})
        self._notices = _CountedIds(marks.notice, {each.notice for each in news.lags})
        self._began = True

    def _marks(self) -> Marks:
        return Marks(self._transitions.last, self._changes.last, self._notices.last)

    def _take(self, figures: Figures) -> None:
        self._set(table.REPOSITORIES, figures.standings)
        self._set(table.BEHIND, figures.behind)
        self._set(table.IMAGES, figures.images)
        self._set(table.GATED, figures.gated)
        self._gauge(table.OVER_MAX_AGE).set(figures.over_max_age)
        self._set(table.OPEN_REBUILDS, figures.open_rebuilds)
        self._set(table.ROLLOUTS, {"under-way": figures.open_rollouts, "paused": figures.paused_rollouts})
        self._set(table.BASES, {"seen": figures.bases, "failing": figures.failing_bases})
        self._gauge(table.INCIDENTS).set(figures.incidents)
        self._set(table.NOTICES, figures.notices)
        self._set(table.MIRROR_LAG, {name: lag.total_seconds() for name, lag in figures.mirrors.items()})
        for name, took in figures.mirrors_took.items():
            for quantile, lag in (("0.5", took.median), ("0.95", took.most)):
                self._gauge(table.MIRROR_TOOK).labels(name, quantile).set(lag.total_seconds())
        self._gauge(table.QUARANTINES).set(figures.quarantines)
        self._take_promises(figures.promises)
        self._set(table.QUEUE_DUE, {name: queue.due for name, queue in figures.queues.items()})
        self._set(table.QUEUE_LEASED, {name: queue.leased for name, queue in figures.queues.items()})
        oldest = {name: queue.oldest.total_seconds() for name, queue in figures.queues.items()}
        self._set(table.QUEUE_OLDEST, oldest)
        ages = {name: feed.age.total_seconds() for name, feed in figures.feeds.items() if feed.age is not None}
        self._set(table.FEED_AGE, ages)
        for (check, outcome), number in figures.practices.items():
            self._gauge(table.PRACTICES).labels(check, outcome.value).set(number)
        self._set(table.ONBOARDINGS, figures.onboardings)
        self._set(table.FEED_ERRORS, {name: feed.errors for name, feed in figures.feeds.items()})

    def _take_promises(self, promises: Mapping[tuple[Topic, str], PromiseRow]) -> None:
        self._set(table.PROMISED, {topic.value: each.within.total_seconds() for topic, each in PROMISES.items()})
        for metric in (table.PROMISES_DUE, table.PROMISES_KEPT, table.PROMISE_LAG):
            self._gauge(metric).clear()
        for (topic, family), row in promises.items():
            labels = topic.value, family
            self._gauge(table.PROMISES_DUE).labels(*labels).set(row.times)
            self._gauge(table.PROMISES_KEPT).labels(*labels).set(row.kept)
            self._gauge(table.PROMISE_LAG).labels(*labels).set(row.median.total_seconds())

    def _add(self, news: News) -> None:
        fresh = self._transitions.new(each.transition for each in news.ended)
        for ended in news.ended:
            if ended.transition in fresh:
                labels = ended.action.value, ended.outcome.value
                self._counter(table.ENDED).labels(*labels).inc()
                self._histogram(table.DURATION).labels(*labels).observe(ended.took.total_seconds())
        fresh = self._changes.new(each.id for each in news.changes)
        for change in news.changes:
            if change.id in fresh:
                self._counter(table.CHANGES).labels(change.cause.value).inc()
        fresh = self._notices.new(each.notice for each in news.lags)
        for notice_lag in news.lags:
            if notice_lag.notice in fresh:
                self._histogram(table.UPSTREAM_LAG).labels(notice_lag.topic.value).observe(
                    notice_lag.lag.total_seconds()
                )

    def _set(self, metric: Metric, values: Mapping[Any, float]) -> None:
        gauge = self._gauge(metric)
        for label, value in values.items():
            gauge.labels(str(label)).set(value)

    def _counter(self, metric: Metric) -> Counter:
        counter = self._made[metric.name]
        assert isinstance(counter, Counter)
        return counter

    def _gauge(self, metric: Metric) -> Gauge:
        gauge = self._made[metric.name]
        assert isinstance(gauge, Gauge)
        return gauge

    def _histogram(self, metric: Metric) -> Histogram:
        histogram = self._made[metric.name]
        assert isinstance(histogram, Histogram)
        return histogram


@dataclass(frozen=True, slots=True)
class MeteredHooks(Hooks):
    """Counts what the loop tells."""

    meter: Meter

    def ended(self, stage: str, host: str, outcome: RowOutcome, took: timedelta) -> None:
        self.meter.row_ended(stage, outcome)


def _instrument(metric: Metric, registry: CollectorRegistry) -> MetricWrapperBase:
    match metric.kind:
        case MetricKind.COUNTER:
            return Counter(metric.name, metric.help, metric.labels, registry=registry)
        case MetricKind.GAUGE:
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)
        case MetricKind.HISTOGRAM:
            return Histogram(metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=registry)
