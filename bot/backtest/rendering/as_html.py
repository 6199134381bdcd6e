"""The report as one page that needs nothing else: no script, no network, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.backtest.rendering.wording import (
    busiest,
    endings,
    known_later,
    rollout_lines,
    share,
    span_of,
    telling_siblings,
)
from bot.backtest.report import CauseMonths, ReplayReport, SettleRow, SiblingRow
from bot.domain.wording.words import duration
from bot.views.charts import Bar

WIDTH = 1000.0


@dataclass(frozen=True, slots=True)
class Label:
    """A text in a chart; `anchor` is which end of it stands at `x`, in the words of SVG."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    kind: str = "quiet"


@dataclass(frozen=True, slots=True)
class AxisLine:
    """A straight line of a chart from one point to another."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class ReportChart:
    """`says` puts it in words for those who cannot see it."""

    height: float
    says: str
    bars: tuple[Bar, ...] = ()
    labels: tuple[Label, ...] = ()
    lines: tuple[AxisLine, ...] = ()
    width: float = WIDTH


def by_month(causes: Sequence[CauseMonths], months: Sequence[str]) -> ReportChart:
    """One stacked column for each month, in the order of `causes` from the bottom up."""
    left, right, top, plot = 44.0, 8.0, 14.0, 250.0
    totals = [sum(row.counts[place] for row in causes) for place in range(len(months))]
    ceiling, step = _scale(max(totals, default=0))
    slot = (WIDTH - left - right) / max(len(months), 1)
    bars: list[Bar] = []
    for place, month in enumerate(months):
        y = top + plot
        for row in causes:
            count = row.counts[place]
            if not count:
                continue
            height = plot * count / ceiling
            y -= height
            title = f"{month}: {count} {row.cause.value} of {totals[place]}"
            bars.append(_bar(left + place * slot + slot * 0.12, y, slot * 0.76, height, row.cause.value, title))
    marks = range(0, ceiling + 1, step)
    return ReportChart(
        height=top + plot + 34,
        says=f"Changes in each month from {months[0]} to {months[-1]} by cause" if months else "No changes",
        bars=tuple(bars),
        labels=(
            *(Label(left - 8, _y(top, plot, mark, ceiling) + 4, f"{mark}", "end") for mark in marks),
            *_month_labels(months, left, slot, top + plot),
        ),
        lines=tuple(
            AxisLine(left, _y(top, plot, mark, ceiling), WIDTH - right, _y(top, plot, mark, ceiling))
            for mark in marks
        ),
    )


def settle_windows(rows: Sequence[SettleRow]) -> ReportChart:
    """Rebuilds for each settle window, against none at all."""
    left, row_height = 90.0, 38.0
    most = max((row.rebuilds for row in rows), default=1) or 1
    scale = (WIDTH - left - 330) / most
    bars: list[Bar] = []
    labels: list[Label] = []
    for place, row in enumerate(rows):
        y = 6 + place * row_height
        name = duration(row.settle) if row.settle else "none"
        title = f"settle window {name}: {row.rebuilds:,} rebuilds, {row.saved:,} saved"
        bars.append(_bar(left, y, row.rebuilds * scale, 22, "os-update", title))
        labels.append(Label(left - 10, y + 16, name, "end", "plain"))
        saved = f", {share(row.saved, rows[0].rebuilds)} fewer" if row.saved else ""
        labels.append(Label(left + row.rebuilds * scale + 10, y + 16, f"{row.rebuilds:,}{saved}", "start", "plain"))
    return ReportChart(6 + len(rows) * row_height, "Rebuilds for each settle window", tuple(bars), tuple(labels))


def followers(rows: Sequence[SiblingRow]) -> ReportChart:
    """The days by which cut-down images followed: the bar ends at the median, its pale part at nine in ten."""
    left, row_height = 300.0, 30.0
    longest = max((row.followed.p90.total_seconds() for row in rows), default=0.0) or 1.0
    scale = (WIDTH - left - 230) / longest
    bars: list[Bar] = []
    labels: list[Label] = []
    for place, row in enumerate(rows):
        y = 4 + place * row_height
        middle, most = row.followed.median.total_seconds(), row.followed.p90.total_seconds()
        title = f"{row.base}: {row.together} of {row.updates} came with {row.sibling}"
        bars.append(_bar(left, y, most * scale, 18, "pale", title))
        bars.append(_bar(left, y, middle * scale, 18, "os-update", title))
        labels.append(Label(left - 10, y + 13, row.base, "end", "plain"))
        times = f"{duration(row.followed.median)}, nine in ten {duration(row.followed.p90)}"
        at = left + most * scale + 10
        labels.append(Label(at, y + 13, times if most else "at once", "start", "quiet"))
    return ReportChart(
        4 + len(rows) * row_height, "Days by which images followed their OS", tuple(bars), tuple(labels)
    )


def _bar(x: float, y: float, width: float, height: float, kind: str, title: str) -> Bar:
    return Bar(round(x, 2), round(y, 2), round(width, 2), round(height, 2), kind, title)


def _y(top: float, plot: float, mark: int, ceiling: int) -> float:
    return round(top + plot * (1 - mark / ceiling), 2)


def _scale(most: int) -> tuple[int, int]:
    """A ceiling that is a multiple of a round step, with three to six steps below it."""
    if most <= 4:
        return max(most, 1), 1
    power = 10 ** floor(log10(most / 4))
    step = next(factor * power for factor in (1, 2, 5, 10) if most / (factor * power) <= 6)
    return -(-most // step) * step, step


def _month_labels(months: Sequence[str], left: float, slot: float, floor_y: float) -> list[Label]:
    """Labels every third month, and has the year below the first month of it that is shown."""
    labels: list[Label] = []
    year = ""
    for place in range(0, len(months), 1 if len(months) <= 14 else 3):
        x = round(left + (place + 0.5) * slot, 2)
        labels.append(Label(x, floor_y + 16, months[place][5:]))
        if months[place][:4] != year:
            year = months[place][:4]
            labels.append(Label(x, floor_y + 31, year, kind="plain"))
    return labels


_pages = Environment(
    loader=PackageLoader("bot.backtest.rendering", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters["duration"] = duration
_pages.filters["number"] = lambda value: f"{value:,}"


def render(report: ReplayReport) -> str:
    """Returns the report as one page that needs no other file."""
    later, fixes = known_later(report)
    siblings = telling_siblings(report)
    return _pages.get_template("page.html.j2").render(
        report=report,
        span=span_of(report),
        later=later,
        later_share=share(later, fixes),
        fixes=fixes,
        month_chart=by_month(report.causes, report.months),
        settle_chart=settle_windows(report.settle),
        sibling_chart=followers(siblings),
        siblings=siblings,
        corrected=[row for row in report.hindsight if row.at_detection != row.final],
        repositories=busiest(report),
        endings=list(endings(report.upstream.ending)),
        share=share,
        rollouts=() if report.rollouts is None else tuple(rollout_lines(report.rollouts)),
    )
