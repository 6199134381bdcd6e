"""The body of `freshness-bot backtest`: plain arguments in, a rendered report out."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from bot.backtest.assumptions import Assumptions
from bot.backtest.fleet import read_fleet
from bot.backtest.rendering import as_html, as_json, as_table
from bot.backtest.report import ReplayReport
from bot.backtest.running import run
from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.rollouts.policy import Policy
from bot.upstream.history.inventory_git import read_history
from bot.upstream.history.log import MCR, read_observations, read_release_log

_WIDEST = 10_000
"""Columns: more than any row has."""


@dataclass(frozen=True, slots=True)
class KeptHistory:
    """What a store knows: how bases moved, oldest first, what was released, and which CVEs that fixed."""

    observations: Iterable[Observation]
    releases: Sequence[Release]
    advisories: Mapping[str, Advisory]


def change_row(change: Change) -> dict[str, Any]:
    """Writes a change as a row: `cause` and `cves` as they ended, `cause_at_detection` as it was known first.

    A withdrawal has no digests; `registry` is written where it is not mcr.microsoft.com.
    """
    gone = change.cause is Cause.WITHDRAWN
    row: dict[str, Any] = {"at": change.at.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    if change.base.registry != MCR:
        row["registry"] = change.base.registry
    return row | {
        "repository": change.base.repository,
        "tag": change.base.tag,
        "from": None if gone else change.from_digest,
        "to": None if gone else change.to_digest,
        "cause": change.cause.value,
        "cause_at_detection": change.cause_at_detection.value,
        "cves": list(change.cves),
        "severity": change.severity.value if change.severity else None,
    }


def write_changes(changes: Iterable[Change], path: Path) -> int:
    """Writes all rows to `path` and returns their number; raises `Failure` where it cannot be written."""
    rows = [json.dumps(change_row(change), separators=(",", ":")) + "\n" for change in changes]
    try:
        path.write_text("".join(rows), encoding="utf-8")
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise Failure(Trouble.DENIED, what, where=str(path), advice="check folder and permissions") from None
    return len(rows)


def _print_tables(report: ReplayReport, out: TextIO) -> None:
    """Writes tables whose names stay whole: a file gets each row on one line, a terminal at least whole words."""
    console = Console(file=out, highlight=False)
    rendered = as_table.render(report, is_narrow=console.is_terminal)
    measured = Console(file=out, width=_WIDEST).measure(rendered)
    console.width = max(console.width, measured.minimum) if console.is_terminal else measured.maximum
    console.print(rendered)


FORMATS: Mapping[str, Callable[[ReplayReport, TextIO], None]] = {
    "table": _print_tables,
    "json": lambda report, out: print(as_json.render(report), end="", file=out),
    "html": lambda report, out: print(as_html.render(report), end="", file=out),
}


def backtest(
    *,
    out: TextIO,
    releases: Path | None = None,
    kept: KeptHistory | None = None,
    meanwhile: AbstractContextManager[object] = nullcontext(),  # noqa: B008 - does nothing
    observations: Path | None = None,
    from_git: Path | None = None,
    changes: Path | None = None,
    repositories: Path | None = None,
    output_format: str = "table",
    policy: Policy | None = None,
    assumptions: Assumptions | None = None,
    seed: int = 1,
    size: int = 100,
) -> ReplayReport:
    """Replays a log (`observations`), a clone of dotnet/versions (`from_git`) or what was `kept`, and writes the
    report to `out`.

    `changes` gets the concluded changes as JSON Lines. Without `repositories` (JSON Lines, see `fleet.read_fleet`),
    `size` repositories are made up from `seed`. `meanwhile` lasts until the report is written. With `assumptions`,
    rollouts are played in any case. Raises
    `Failure` with one clear line for whatever is wrong.
    """
    if output_format not in FORMATS:
        raise _refused(f"there is no format {output_format!r}", f"choose from {', '.join(FORMATS)}")
    for given in (observations, releases, repositories):
        if given is not None and changes is not None and given.is_file() and given.resolve() == changes.resolve():
            raise _refused(f"{given}: --changes would overwrite it", "give a file of its own")
    with meanwhile:
        known = kept or _read(observations, from_git, releases)
        report = run(
            known.observations,
            known.releases,
            policy,
            fleet=read_fleet(repositories) if repositories else None,
            advisories=known.advisories,
            assumptions=assumptions,
            seed=seed,
            size=size,
        )
    if changes is not None:
        write_changes(report.changes, changes)
    FORMATS[output_format](report, out)
    return report


def _read(observations: Path | None, from_git: Path | None, releases: Path | None) -> KeptHistory:
    """Reads files as they stand, whose order is that of the log."""
    if releases is None:
        advice = (
            "give it beside --observations or --from-git, or none of them to replay what the bot's own store knows"
        )
        raise _refused("--releases is missing", advice)
    known = tuple(read_release_log(releases))
    return KeptHistory(_source(observations, from_git, known), known, {})


def _source(
    observations: Path | None, from_git: Path | None, releases: Collection[Release]
) -> Iterable[Observation]:
    if observations is not None and from_git is None:
        return read_observations(observations)
    if from_git is not None and observations is None:
        return read_history(from_git, releases=releases)
    raise _refused("history comes from one place", "give either --observations or --from-git")


def _refused(what: str, advice: str) -> Failure:
    return Failure(Trouble.MALFORMED, what, advice=advice)
