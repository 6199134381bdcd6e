"""Every metric with its type, labels and meaning; the page docs/metrics.md is written from here.

Names follow Prometheus' rules: base units, `_total` for counters, one prefix. Each label has few values, all known
beforehand: stages, states, causes, configured hosts. Repositories and bases are never labels.
"""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """Prometheus' type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class MetricScope(StrEnum):
    """Whom a value speaks for: this process alone, or the store that all replicas share."""

    PROCESS = "process"
    STORE = "store"


_SHORT = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_LONG = (300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 4 * 86400, 7 * 86400, 30 * 86400)
"""From five minutes to a month."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` is without the suffixes that Prometheus adds to counters and histograms."""

    name: str
    kind: MetricKind
    scope: MetricScope
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query may ask for."""
        match self.kind:
            case MetricKind.COUNTER:
                return (f"{self.name}_total",)
            case MetricKind.HISTOGRAM:
                return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
            case MetricKind.GAUGE:
                return (self.name,)


def _gauge(name: str, text: str, *labels: str, scope: MetricScope = MetricScope.STORE) -> Metric:
    return Metric(f"freshness_{name}", MetricKind.GAUGE, scope, text, labels)


def _counter(name: str, text: str, *labels: str, scope: MetricScope = MetricScope.STORE) -> Metric:
    return Metric(f"freshness_{name}", MetricKind.COUNTER, scope, text, labels)


def _histogram(
    name: str, text: str, buckets: tuple[float, ...], *labels: str, scope: MetricScope = MetricScope.STORE
) -> Metric:
    return Metric(f"freshness_{name}", MetricKind.HISTOGRAM, scope, text, labels, buckets)


REPOSITORIES = _gauge("repositories", "Listed repositories by how they stand to their bases.", "state")
BEHIND = _gauge("repositories_behind", "Repositories that are behind their bases, by for how long.", "age")
IMAGES = _gauge("images", "Images that the fleet builds, by how they stand to their bases.", "state")
GATED = _gauge("images_gated", "Images by what the gate says of them.", "outcome")
OVER_MAX_AGE = _gauge("images_over_max_age", "Images whose rebuild has not ended although `max_age` is over.")
OPEN_REBUILDS = _gauge("rebuilds_open", "Rebuilds that have not ended, by state.", "state")
ROLLOUTS = _gauge("rollouts_open", "Rollouts that have not ended, by whether they are paused.", "standing")
BASES = _gauge("bases", "Bases in use, by whether the last look at them went well.", "outcome")
PRACTICES = _gauge("practices", "Repositories by what the audit finds of each practice.", "check", "outcome")
ONBOARDINGS = _gauge(
    "onboardings", "Repositories by how far they are brought to the practices by pull requests.", "state"
)
INCIDENTS = _gauge("incidents_open", "Incidents that are not over.")
NOTICES = _gauge("notices_open", "Notices that stand, by topic.", "topic")
QUARANTINES = _gauge("quarantines_open", "Digests that nothing is built on.")
MIRROR_LAG = _gauge(
    "mirror_behind_seconds",
    "For how long a mirror has not shown what upstream does, by the base that is behind longest; 0 where none is.",
    "mirror",
)
MIRROR_TOOK = _gauge(
    "mirror_took_seconds",
    "How long a mirror took in the last year to show what upstream had published, by quantile (0.5 and 0.95).",
    *("mirror", "quantile"),
)
PROMISES_DUE = _gauge(
    "promises_due",
    "How often upstream owed what it promises in the last year, by promise and family of images.",
    *("promise", "family"),
)
PROMISES_KEPT = _gauge("promises_kept", "How often it came in time.", "promise", "family")
PROMISE_LAG = _gauge("promise_lag_seconds", "How late it came, in the middle.", "promise", "family")
PROMISED = _gauge("promised_seconds", "Within what time it is promised.", "promise")
CHANGES = _counter("changes", "Changes of bases, by the cause seen first.", "cause")
UPSTREAM_LAG = _histogram("upstream_lag_seconds", "How late fixes came into base images.", _LONG, "topic")
ENDED = _counter("rebuilds_ended", "Rebuilds that ended, by what they were and how.", "action", "outcome")
DURATION = _histogram("rebuild_duration_seconds", "From planning a rebuild to its end.", _LONG, "action", "outcome")
QUEUE_DUE = _gauge("queue_due", "Rows that are due now, by queue.", "queue")
QUEUE_OLDEST = _gauge("queue_oldest_due_seconds", "For how long the oldest due row has been due.", "queue")
QUEUE_LEASED = _gauge("queue_leased", "Rows that somebody works on.", "queue")
FEED_AGE = _gauge("feed_age_seconds", "Since a feed was last asked with success.", "feed")
FEED_ERRORS = _gauge("feed_errors", "Documents of a feed that could not be read at the last attempt.", "feed")
REQUESTS = _counter(
    "requests",
    "Requests to others, by host, method and status; hosts that no setting names are `other`.",
    *("host", "method", "status"),
    scope=MetricScope.PROCESS,
)
BUDGET = _gauge(
    "github_budget_left", "What GitHub said last is left of its limit.", "resource", scope=MetricScope.PROCESS
)
BUDGET_LIMIT = _gauge("github_budget_limit", "The limit itself.", "resource", scope=MetricScope.PROCESS)
TICKS = _histogram("tick_duration_seconds", "Ticks of each stage.", _SHORT, "stage", scope=MetricScope.PROCESS)
TICK_FAILURES = _counter("tick_failures", "Ticks that broke.", "stage", scope=MetricScope.PROCESS)
TICK_PROBLEMS = _counter("tick_problems", "Problems that ticks told of.", "stage", scope=MetricScope.PROCESS)
ROWS = _counter(
    "rows", "Claimed rows by how the work on them ended.", "stage", "outcome", scope=MetricScope.PROCESS
)
LATE = _gauge("stage_late", "1 where a stage hangs or has stopped ticking.", "stage", scope=MetricScope.PROCESS)
SETTINGS_REFUSED = _gauge(
    "settings_refused",
    "1 where changed settings are not valid, and those before are kept.",
    scope=MetricScope.PROCESS,
)
STORE_FULL = _gauge(
    "store_full",
    "1 where nothing can be written for want of room on the disk of the store.",
    scope=MetricScope.PROCESS,
)
ANSWERS = _histogram(
    "http_request_duration_seconds",
    "Requests to the bot's own page, by kind of page and status.",
    _SHORT,
    *("page", "status"),
    scope=MetricScope.PROCESS,
)
DELIVERIES = _counter(
    "hook_deliveries",
    "Events that came in, by who sent them and what came of them.",
    *("source", "outcome"),
    scope=MetricScope.PROCESS,
)

METRICS = (
    *(
        REPOSITORIES,
        BEHIND,
        IMAGES,
        GATED,
        OVER_MAX_AGE,
        OPEN_REBUILDS,
        ROLLOUTS,
        BASES,
        PRACTICES,
        ONBOARDINGS,
        INCIDENTS,
        NOTICES,
        QUARANTINES,
        MIRROR_LAG,
        MIRROR_TOOK,
    ),
    *(PROMISES_DUE, PROMISES_KEPT, PROMISE_LAG, PROMISED),
    *(CHANGES, UPSTREAM_LAG, ENDED, DURATION),
    *(QUEUE_DUE, QUEUE_OLDEST, QUEUE_LEASED, FEED_AGE, FEED_ERRORS),
    *(
        REQUESTS,
        BUDGET,
        BUDGET_LIMIT,
        TICKS,
        TICK_FAILURES,
        TICK_PROBLEMS,
        ROWS,
        LATE,
        SETTINGS_REFUSED,
        STORE_FULL,
        ANSWERS,
        DELIVERIES,
    ),
)
"""In the order of the page."""
