"""`gate`: does a scanner's report hold this image back?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import Format, OutputFormat
from bot.cli.screen.output import print_aside

if TYPE_CHECKING:
    from bot.domain.packages.cves.detected import DetectedVulnerability
    from bot.images.scanners.report import Report
    from bot.images.vex.statements import VexStatement

_MOST_LEFT_OUT = 20
BLOCKS = 1
CANNOT_TELL = 3
REPORT_HELP = "Trivy's or Grype's report as JSON or SARIF; - is standard input"
_SEVERITIES = "HIGH,CRITICAL"
_SEVERITY_HELP = f"Which severities block, {_SEVERITIES} unless said; may be given again."


def gate(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help=f"{REPORT_HELP}.")],
    severity: Annotated[
        list[str] | None,
        typer.Option("--severity", metavar="SEVERITIES", help=_SEVERITY_HELP, show_default=False),
    ] = None,
    ignore_unfixed: Annotated[
        bool, typer.Option("--ignore-unfixed", help="What has no fix does not block.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option("--against", help="The report of the image before: only what is new blocks.")
    ] = None,
    max_age: Annotated[
        str | None, typer.Option("--max-age", help="A report older than this, for example 7d, cannot tell.")
    ] = None,
    vex: Annotated[
        list[Path] | None,
        typer.Option("--vex", metavar="FILE", help="An OpenVEX document of an author whom you heed."),
    ] = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Lists what a scanner found that must block.

    Exit codes: 0 nothing blocks, 1 something does, 2 bad input, 3 it cannot be told.

    Example: freshness-bot gate trivy.json --ignore-unfixed --against old.json
    """
    from bot.cli.screen.output import print_json, print_line, print_table
    from bot.domain.packages.cves.detected import GatePolicy, blocking, gaps_of_unrated, undecided
    from bot.domain.wording.words import counted
    from bot.images.scanners.report import both_subjects, severities

    policy = GatePolicy(frozenset().union(*map(severities, severity or [_SEVERITIES])), ignore_unfixed)
    now, before = _read(report), None if against is None else _read(against)
    earlier_vulnerabilities = None if before is None else before.vulnerabilities
    statements = _statements(vex or [])
    blockers = _excused(blocking(now.vulnerabilities, policy, earlier_vulnerabilities), statements, now)
    left = undecided(now.unrated, now.vulnerabilities, policy, earlier_vulnerabilities)
    gaps = [*now.gaps, *gaps_of_unrated(_excused(left, statements, now)), *_too_old(now, max_age)]
    gaps = [f"{report}: {gap}" for gap in gaps]
    if before is not None:
        gaps += [f"{against}: {gap}" for gap in before.gaps]
    reasons = {each.found: each.why for each in now.suppressed}
    left_out = blocking(reasons, policy, earlier_vulnerabilities)
    for finding in left_out[:_MOST_LEFT_OUT]:
        print_aside(f"{finding.id} in {finding.package}: {reasons[finding]}")
    if (more := len(left_out) - _MOST_LEFT_OUT) > 0:
        print_aside(f"and {counted(more, 'finding')} more, suppressed in the report")
    if before is not None and (subjects := both_subjects(now, before)) is not None:
        about, earlier = subjects
        print_aside(f"{against}: is about {earlier}, and {report} about {about}; what both have does not block")
    for note in now.notes:
        print_aside(f"{report}: {note}")
    if before is not None and blockers and before.scanner != now.scanner:
        new = f"whether what {now.scanner} finds is new"
        gaps.append(f"{new} ({counted(len(blockers), 'finding')}): {against} is a report of {before.scanner}")
        blockers = ()
    columns = ("id", "package", "installed", "fixed", "severity")
    if output is Format.JSON:
        print_json([{column: str(getattr(each, column)) for column in columns} for each in blockers])
    elif blockers:
        print_line(f"{report}: {counted(len(blockers), 'finding')} would block")
        print_table(columns, ([getattr(each, column) for column in columns] for each in blockers))
    elif not gaps:
        print_line(f"{report}: nothing blocks")
    for gap in gaps:
        print_aside(f"cannot tell: {gap}")
    if blockers or gaps:
        raise typer.Exit(BLOCKS if blockers else CANNOT_TELL)


def _read(path: Path) -> "Report":
    """Reads a report; one that is missing is not a clean one, and ends the command with `CANNOT_TELL`."""
    from bot.commands.images.packages import read_file
    from bot.domain.failure import Failure, Trouble
    from bot.images.scanners.reading import read_report
    from bot.images.scanners.report import LARGEST_REPORT

    try:
        data = read_file(path, LARGEST_REPORT)
    except Failure as failure:
        if failure.trouble is Trouble.MALFORMED:
            raise
        print_aside(f"cannot tell: {failure}; scan the image first")
        raise typer.Exit(CANNOT_TELL) from None
    return read_report(data, str(path))


def _statements(documents: list[Path]) -> list["VexStatement"]:
    """Those that count; what is said at a time that is yet to come is told, and takes nothing away."""
    from bot.commands.images.packages import read_file
    from bot.domain.clock import SystemClock
    from bot.images.vex.statements import LARGEST_VEX, heeded, is_ahead, read_vex

    now = SystemClock().now()
    read = [(path, each) for path in documents for each in read_vex(read_file(path, LARGEST_VEX), str(path))]
    for path, statement in read:
        if statement.at is not None and is_ahead(statement, now):
            names = ", ".join(sorted(statement.vulnerabilities))
            print_aside(
                f"{path}: what it says of {names} is of {statement.at:%Y-%m-%d %H:%M} UTC, which is yet to come"
            )
    return list(heeded((each for _, each in read), now))


def _excused(
    vulnerabilities: tuple["DetectedVulnerability", ...], statements: list["VexStatement"], report: "Report"
) -> tuple["DetectedVulnerability", ...]:
    """What still stands once the statements have been heard; what they take away is told on standard error."""
    from bot.images.vex.excusing import excuse, untold_platforms

    standing, excused = excuse(vulnerabilities, statements, report)
    for pair in excused:
        reason = f" ({pair.statement.reason})" if pair.statement.reason else ""
        author = pair.statement.author or "an unnamed author"
        print_aside(f"{pair.found.id} in {pair.found.package}: {pair.statement.status}{reason}, says {author}")
    for line in untold_platforms(standing, statements, report):
        print_aside(line)
    return standing


def _too_old(report: "Report", max_age: str | None) -> list[str]:
    if max_age is None:
        return []
    from pydantic import TypeAdapter, ValidationError

    from bot.domain.clock import SystemClock, is_yet_to_come
    from bot.domain.failure import Failure, Trouble
    from bot.domain.wording.misfits import misfit
    from bot.domain.wording.words import duration
    from bot.settings.values.times import Duration

    try:
        limit = TypeAdapter(Duration).validate_python(max_age)
    except ValidationError as error:
        raise Failure(Trouble.MALFORMED, f"--max-age {max_age[:40]!r}: {misfit(error)}") from error
    if report.created_at is None:
        return ["does not say when it was made"]
    now = SystemClock().now()
    age = now - report.created_at
    if is_yet_to_come(report.created_at, now):
        return [f"was made at a time that is not yet, {report.created_at:%Y-%m-%d %H:%M} UTC"]
    return [] if age <= limit else [f"was made {duration(age)} ago, more than the {duration(limit)} allowed"]
