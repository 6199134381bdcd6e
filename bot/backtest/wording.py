"""Figures and short texts as every rendering shows them."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.backtest.report import Report, RepositoryRow, SiblingRow
from bot.domain.notice import Notice

MOST_REPOSITORIES = 20


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def span_of(report: Report) -> str:
    return f"{report.started:%Y-%m-%d} to {report.ended:%Y-%m-%d}"


def known_later(report: Report) -> tuple[int, int]:
    """Security fixes that were first taken for something else, and all of them."""
    fixes = [row for row in report.hindsight if row.final == "dotnet-security"]
    return sum(row.count for row in fixes if row.at_detection != row.final), sum(row.count for row in fixes)


def busiest(report: Report) -> tuple[RepositoryRow, ...]:
    ordered = sorted(report.repositories, key=lambda row: (-row.rebuilds, row.name))
    return tuple(ordered[:MOST_REPOSITORIES])


def telling_siblings(report: Report) -> tuple[SiblingRow, ...]:
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
        named = ", ".join(bases[:3]) + (f" and {len(bases) - 3} more" if len(bases) > 3 else "")
        yield f"{since:%Y-%m-%d}: {named}"
