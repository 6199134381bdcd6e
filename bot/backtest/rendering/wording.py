"""Figures and short texts as every rendering shows them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from bot.backtest.report import Patched, ReplayedRow, ReplayReport, RolloutFigures, SiblingRow
from bot.domain.bases.notice import Notice
from bot.domain.wording.words import counted, first_few

MOST_REPOSITORIES = 20


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def span_of(report: ReplayReport) -> str:
    return f"{report.started:%Y-%m-%d} to {report.ended:%Y-%m-%d}"


def known_later(report: ReplayReport) -> tuple[int, int]:
    """Security fixes that were first taken for something else, and all of them."""
    fixes = [row for row in report.hindsight if row.final == "dotnet-security"]
    return sum(row.count for row in fixes if row.at_detection != row.final), sum(row.count for row in fixes)


def busiest(report: ReplayReport) -> tuple[ReplayedRow, ...]:
    ordered = sorted(report.repositories, key=lambda row: (-row.rebuilds, row.name))
    return tuple(ordered[:MOST_REPOSITORIES])


def telling_siblings(report: ReplayReport) -> tuple[SiblingRow, ...]:
    """Those of ASP.NET that lag: the flavours of a tag and the other families move together with it."""
    return tuple(
        row
        for row in report.upstream.siblings
        if (row.followed.p90 or row.pending)
        and row.base.startswith("aspnet:")
        and row.base.endswith(("-chiseled", "-distroless"))
        and "-preview" not in row.base
    )


def endings(notices: Sequence[Notice]) -> Iterator[str]:
    """One line for each end-of-life date, with how many bases it concerns."""
    ordered = sorted(notices, key=lambda notice: (notice.since, notice.base))
    for since, group in groupby(ordered, key=lambda notice: notice.since):
        bases = [notice.base.short for notice in group]
        yield f"{since:%Y-%m-%d}: {first_few(bases)}"


def rollout_lines(figures: RolloutFigures) -> Iterator[str]:
    """What came of the rollouts, and on what that rests."""
    fewer = figures.runs_at_once - figures.runs
    compared = (
        f"{counted(abs(fewer), 'run')} {'more' if fewer < 0 else 'fewer'} than building on each change at once"
    )
    weekly = f", {figures.weekly_runs:,} of them for their age alone" if figures.weekly_runs else ""
    yield f"{counted(figures.rollouts, 'rollout')}, {counted(figures.runs, 'run')}{weekly}; {compared}."
    yield f"Security fixes: {_patched(figures.security)}."
    yield f"Everything else: {_patched(figures.other)}."
    if figures.waited_for_budget:
        yield f"The write budget kept a rebuild waiting for {spelled(figures.waited_for_budget)} at most."
    given = figures.assumptions
    yield (
        f"A build takes {spelled(given.build.value)} ({given.build.source}), a person merges after "
        f"{spelled(given.merge.value)} ({given.merge.source}); at most {given.content_per_minute:,} new pull "
        f"requests and review requests a minute and {given.content_per_hour:,} an hour; no build fails."
    )


def spelled(length: timedelta) -> str:
    """A length of time to the minute: `40 s`, `3 h 10 min`, `2 days 5 h`."""
    minutes = round(length.total_seconds() / 60)
    if minutes == 0:
        return f"{length.total_seconds():.0f} s"
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [
        counted(days, "day", "days") if days else "",
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
    ]
    return " ".join([part for part in parts if part][:2])


def _patched(patched: Patched) -> str:
    if not patched.count:
        return "none"
    return (
        f"50 % patched in {spelled(patched.half)}, 95 % in {spelled(patched.most)}, all in {spelled(patched.all)} "
        f"({patched.count:,} in all)"
    )
