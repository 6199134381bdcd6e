"""The report for a terminal."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.backtest.rendering.wording import (
    busiest,
    endings,
    known_later,
    rollout_lines,
    share,
    span_of,
    telling_siblings,
)
from bot.backtest.report import Delays, ReplayReport
from bot.domain.wording.escaping import terminal
from bot.domain.wording.words import counted, duration

MOST_ROWS = 10


def render(report: ReplayReport, *, is_narrow: bool = False) -> RenderableType:
    """The tables; no word of them is ever broken. Where they are to be narrow, several names of a cell stand below
    each other."""
    tables = (
        _causes(report),
        _hindsight(report),
        _actions(report),
        _settle(report),
        _repositories(report, "\n" if is_narrow else ", "),
        _upstream(report),
    )
    played = [] if report.rollouts is None else _listed("Rollouts", rollout_lines(report.rollouts))
    return Group(_summary(report), *played, *(table for table in tables if table.row_count), _notices(report))


def _summary(report: ReplayReport) -> Text:
    later, fixes = known_later(report)
    kind = "made-up repository" if report.synthetic else "repository"
    return Text(
        f"{span_of(report)}: {counted(report.observations, 'observation')} of {counted(report.bases, 'base')}, "
        f"{counted(len(report.changes), 'change')} in {counted(report.publications, 'publication')}.\n"
        f"{later:,} of {counted(fixes, 'security fix')} ({share(later, fixes)}) were there before the feed listed "
        f"them.\n"
        f"{counted(len(report.repositories), kind)}: {counted(report.pull_requests, 'pull request')}, "
        f"{counted(report.dispatches, 'dispatch')}, {counted(report.messages, 'message')}.\n"
    )


def _causes(report: ReplayReport) -> Table:
    years = sorted({f"{change.at:%Y}" for change in report.changes})
    rows = [
        (
            row.cause.value,
            *(
                f"{sum(n for n, month in zip(row.counts, report.months, strict=True) if month[:4] == year):,}"
                for year in years
            ),
            f"{row.total:,}",
            share(row.total, len(report.changes)),
        )
        for row in report.causes
    ]
    return _table("Changes by cause", ("cause", *years, "all", "share"), rows)


def _hindsight(report: ReplayReport) -> Table:
    rows = [
        (row.at_detection.value, row.final.value, f"{row.count:,}", *_delays(row.caught_up))
        for row in report.hindsight
        if row.at_detection != row.final
    ]
    headings = ("said first", "known later", "changes", "caught up after", "nine in ten", "longest")
    return _table("Causes that a feed corrected", headings, rows, texts=2)


def _actions(report: ReplayReport) -> Table:
    rows = [
        ("security fixes", f"{report.to_action_security.count:,}", *_delays(report.to_action_security)),
        ("everything else", f"{report.to_action_other.count:,}", *_delays(report.to_action_other)),
    ]
    return _table("From detection to action", ("", "moves acted on", "median", "nine in ten", "longest"), rows)


def _settle(report: ReplayReport) -> Table:
    rows = [
        (
            duration(row.settle),
            f"{row.rebuilds:,}",
            f"{row.saved:,}",
            share(row.saved, report.settle[0].rebuilds),
            duration(row.security.median),
            duration(row.security.p90),
            duration(row.other.median),
        )
        for row in report.settle
    ]
    headings = ("window", "rebuilds", "saved", "share", "security: median", "nine in ten", "other: median")
    return _table("What a settle window saves and costs, one repository on each base", headings, rows)


def _repositories(report: ReplayReport, between: str) -> Table:
    rows = [
        (
            row.name,
            between.join(row.bases),
            *(f"{number:,}" for number in (row.pull_requests, row.dispatches, row.messages)),
        )
        for row in busiest(report)[:MOST_ROWS]
    ]
    headings = ("repository", "bases", "pull requests", "dispatches", "messages")
    title = f"What {counted(len(report.repositories), 'repository')} would have got"
    left_out = len(report.repositories) - len(rows)
    return _table(title, headings, rows, texts=2, caption=f"and {left_out} more" if left_out else None)


def _upstream(report: ReplayReport) -> Table:
    rows = [
        (
            row.base,
            f"{row.updates}",
            f"{row.together}",
            f"{row.pending}",
            duration(row.followed.median),
            duration(row.followed.p90),
        )
        for row in telling_siblings(report)
    ]
    headings = ("base", "OS updates", "same time", "not yet", "median", "nine in ten")
    title = "How long cut-down images take to follow their OS, where they do not come with it"
    return _table(title, headings, rows)


def _notices(report: ReplayReport) -> Group:
    upstream = report.upstream
    return Group(
        *_listed("Waiting for a fixed base", (notice.text for notice in upstream.waiting)),
        *_listed("Withdrawn in the last 90 days", (notice.text for notice in upstream.withdrawn)),
        *_listed("Out of support within a year", endings(upstream.ending)),
        *_listed("Tags that changed under their users", (notice.text for notice in upstream.moved_underneath)),
    )


def _listed(title: str, lines: Iterable[str], most: int = 10) -> list[Text]:
    """The latest ones, which are the last."""
    every = list(lines)
    if not every:
        return []
    body = [f"  {terminal(line)}" for line in every[-most:]]
    if len(every) > most:
        body.insert(0, f"  {len(every) - most} earlier ones, then")
    return [Text(f"{title}\n", style="bold", end=""), Text("\n".join(body) + "\n")]


def _delays(delays: Delays) -> tuple[str, str, str]:
    return duration(delays.median), duration(delays.p90), duration(delays.longest)


def _table(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    texts: int = 1,
    caption: str | None = None,
) -> Table:
    """The first `texts` columns hold words, the others figures, whose headings are stacked word by word."""
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left", box=SIMPLE_HEAD)
    for place, heading in enumerate(headings):
        is_text = place < texts
        words = heading if is_text else "\n".join(heading.split())
        table.add_column(words, justify="left" if is_text else "right", overflow="ignore", no_wrap=True)
    for row in rows:
        table.add_row(*(Text("\n".join(map(terminal, cell.split("\n")))) for cell in row))
    return table
