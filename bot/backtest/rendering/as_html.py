"""The report as one page that needs nothing else: no script, no network, light and dark."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.backtest.rendering import charts
from bot.backtest.rendering.wording import (
    busiest,
    endings,
    known_later,
    rollout_lines,
    share,
    span_of,
    telling_siblings,
)
from bot.backtest.report import ReplayReport
from bot.domain.wording.words import duration

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
        month_chart=charts.by_month(report.causes, report.months),
        settle_chart=charts.settle_windows(report.settle),
        sibling_chart=charts.followers(siblings),
        siblings=siblings,
        corrected=[row for row in report.hindsight if row.at_detection != row.final],
        repositories=busiest(report),
        endings=list(endings(report.upstream.ending)),
        share=share,
        rollouts=() if report.rollouts is None else tuple(rollout_lines(report.rollouts)),
    )
