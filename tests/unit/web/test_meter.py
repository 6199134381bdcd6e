"""What is counted, under which labels, and that each row counts once."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from bot.domain.bases.change import Cause
from bot.domain.bases.notice import PromiseRow, Topic
from bot.domain.images.standing import ImageState
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.meter import Meter, MeteredHooks
from bot.fleet.metrics import METRICS
from bot.reconcile.work import RowOutcome
from bot.views.bases.mirrors import Took
from bot.views.fleet.figures import (
    EndedRebuild,
    FeedFigures,
    Figures,
    Marks,
    News,
    QueueFigures,
    SeenChange,
    SeenLag,
)

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIGURES = Figures(
    standings={"current": 3, "behind": 1},
    behind={"under-1d": 1},
    over_max_age=2,
    open_rebuilds={RebuildState.OPEN: 4},
    images={ImageState.CURRENT: 5, ImageState.UNKNOWN: 6},
    open_rollouts=1,
    paused_rollouts=1,
    bases=7,
    failing_bases=1,
    incidents=1,
    notices={Topic.WITHDRAWN: 2},
    quarantines=1,
    queues={"bases": QueueFigures(5, 2, timedelta(minutes=2))},
    mirrors_took={"myacr.azurecr.io/mcr": Took(3, HOUR, 3 * HOUR, 2 * HOUR)},
    feeds={"msrc-bulletin": FeedFigures(HOUR, 1), "image-info": FeedFigures(None, 0)},
)


@dataclass
class Shown:
    """A store that shows what a test has put there."""

    rows: News = field(default_factory=News)
    promises: dict[tuple[Topic, str], PromiseRow] = field(default_factory=dict)

    async def figures(self) -> Figures:
        return replace(FIGURES, promises=self.promises)

    async def marks(self) -> Marks:
        return Marks(
            max((each.transition for each in self.rows.ended), default=0),
            max((each.id for each in self.rows.changes), default=0),
            max((each.notice for each in self.rows.lags), default=0),
        )

    async def news(self, marks: Marks) -> News:
        return self.rows


def ended(number: int, outcome: RebuildState = RebuildState.SUCCEEDED) -> EndedRebuild:
    return EndedRebuild(number, Action.PULL_REQUEST, outcome, HOUR)


async def told(meter: Meter, source: Shown, beats: Heartbeats | None = None) -> dict[str, float]:
    text = (await meter.metrics_text(source, beats or Heartbeats(), NOON)).decode()
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_how_things_stand_is_told() -> None:
    found = await told(Meter(), Shown())
    assert found["freshness_repositories current"] == 3
    assert found["freshness_repositories_behind under-1d"] == 1
    assert found["freshness_images_over_max_age"] == 2
    assert (found["freshness_images current"], found["freshness_images unknown"]) == (5, 6)
    assert found["freshness_rollouts_open paused"] == 1
    assert found["freshness_queue_oldest_due_seconds bases"] == 120
    assert found["freshness_feed_age_seconds msrc-bulletin"] == 3600
    assert "freshness_feed_age_seconds image-info" not in found


async def test_a_promise_is_told_by_family_until_it_was_not_due_for_a_year() -> None:
    row = PromiseRow(Topic.RELEASE_LAG, ("sdk",), 9, 7, HOUR, 30 * HOUR)
    meter, source = Meter(), Shown(promises={(Topic.RELEASE_LAG, "sdk"): row})
    found = await told(meter, source)
    assert found["freshness_promises_due sdk release-lag"] == 9
    assert found["freshness_promises_kept sdk release-lag"] == 7
    assert found["freshness_promise_lag_seconds sdk release-lag"] == 3600
    assert found["freshness_promised_seconds release-lag"] == 24 * 3600
    source.promises = {}
    assert "freshness_promises_due sdk release-lag" not in await told(meter, source)


async def test_what_the_store_held_at_the_start_counts_no_more() -> None:
    found = await told(Meter(), Shown(News(ended=(ended(1), ended(2)))))
    assert "freshness_rebuilds_ended_total pull_request succeeded" not in found


async def test_a_row_counts_once_even_where_a_lower_one_comes_later() -> None:
    meter, source = Meter(), Shown(News(ended=(ended(10),)))
    await told(meter, source)
    source.rows = News(ended=(ended(10), ended(12)))
    await told(meter, source)
    source.rows = News(ended=(ended(10), ended(11, RebuildState.FAILED), ended(12)))
    found = await told(meter, source)
    assert found["freshness_rebuilds_ended_total pull_request succeeded"] == 1
    assert found["freshness_rebuilds_ended_total pull_request failed"] == 1
    assert found["freshness_rebuild_duration_seconds_sum pull_request failed"] == 3600


async def test_changes_count_by_cause_and_lags_by_topic() -> None:
    meter, source = Meter(), Shown()
    await told(meter, source)
    source.rows = News(
        changes=(SeenChange(1, Cause.OS_UPDATE), SeenChange(2, Cause.OS_UPDATE)),
        lags=(SeenLag(1, Topic.SIBLING_LAG, 3 * HOUR),),
    )
    found = await told(meter, source)
    assert found["freshness_changes_total os-update"] == 2
    assert found["freshness_upstream_lag_seconds_sum sibling-lag"] == 3 * 3600


async def test_hosts_that_no_setting_names_share_one_label() -> None:
    meter = Meter({"mcr.example"})
    for host in ("mcr.example", "cdn-1.example", "cdn-2.example"):
        meter.answered(host, "GET", 200)
    meter.answered("mcr.example", "BREW", None)
    found = await told(meter, Shown())
    assert found["freshness_requests_total mcr.example GET 200"] == 1
    assert found["freshness_requests_total other GET 200"] == 2
    assert found["freshness_requests_total mcr.example other none"] == 1


async def test_ticks_rows_and_budgets_are_counted() -> None:
    meter = Meter()
    meter.ticked("watch", timedelta(seconds=2), 3, broke=True)
    meter.left("core", 40, 5000)
    meter.settings_refused(True)
    MeteredHooks(meter).ended("watch", "mcr.example", RowOutcome.DONE, HOUR)
    found = await told(meter, Shown())
    assert found["freshness_tick_duration_seconds_sum watch"] == 2
    assert found["freshness_tick_problems_total watch"] == 3
    assert found["freshness_tick_failures_total watch"] == 1
    assert found["freshness_github_budget_left core"] == 40
    assert found["freshness_rows_total done watch"] == 1
    assert found["freshness_settings_refused"] == 1


async def test_a_stage_that_hangs_is_told() -> None:
    beats = Heartbeats()
    beats.expect({"watch": HOUR, "plan": HOUR}, NOON - 9 * HOUR)
    beats.began("plan", NOON)
    found = await told(Meter(), Shown(), beats)
    assert (found["freshness_stage_late watch"], found["freshness_stage_late plan"]) == (1, 0)


async def test_everything_that_is_told_stands_in_the_table() -> None:
    text = (await Meter().metrics_text(Shown(), Heartbeats(), NOON)).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families.keys() == {metric.name for metric in METRICS}
    assert all(families[metric.name].type == metric.kind for metric in METRICS)


def test_names_follow_prometheus_rules() -> None:
    for metric in METRICS:
        assert metric.name.startswith("freshness_")
        assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))
        assert metric.help.endswith(".")
