"""`audit`: whether practices hold in a checkout or in a repository of the fleet, as one exit code."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile
from bot.cli.screen.output import Layout, print_aside, print_json, print_line, print_table
from bot.cli.screen.progress import progress_of
from bot.domain.wording.words import counted

if TYPE_CHECKING:
    from bot.files.audit.audited import AuditedCheckout
    from bot.views.repositories.joined import JoinedResult

_HOLDS, _FAILS, _CANNOT_TELL = 0, 1, 3


class OtherTool(StrEnum):
    """What else looks at a checkout, where it is installed."""

    ZIZMOR = "zizmor"


class AuditFormat(StrEnum):
    """How the findings are written."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"


def audit(
    where: Annotated[
        str,
        typer.Argument(
            metavar="[PATH|REPOSITORY]",
            help="A checkout, or one file of it; or owner/name of the fleet, as it was judged last.",
        ),
    ] = ".",
    config: ConfigFile = DEFAULT_CONFIG,
    output: Annotated[
        AuditFormat, typer.Option("--format", "-f", help="For people, scripts, code scanning, or an issue.")
    ] = AuditFormat.TABLE,
    show_all: Annotated[
        bool,
        typer.Option(
            "--all", help="Judge what is left out as well, and show in the table what holds or does not apply."
        ),
    ] = False,
    other: Annotated[
        OtherTool | None,
        typer.Option(
            "--with", help="Have another tool look at a checkout too, and join what it finds, told apart."
        ),
    ] = None,
) -> None:
    """Checks runtime settings, scans, SBOMs, signatures, secrets and pins.

    Files of tests and samples are left out by evidence alone, and listed; in a checkout --all judges them. What may
    be a fixture is judged, and one line in the table.

    A path is read as it is. What is no path here is a repository of the fleet: the settings file says where its
    findings are stored.

    --with zizmor runs zizmor, where it is installed, without the network: it looks at workflows that touch no image
    too. Its results keep its name (zizmor/template-injection), in SARIF they are a run of its own, and what is more
    than a note fails.

    Exit codes: 0 all that applies holds or is waived, 1 something fails, 2 bad input, 3 something cannot be told; 1
    wins over 3.

    Example: freshness-bot audit ~/src/shop --format sarif
    """
    from bot.domain.repositories.finding import Outcome
    from bot.views.repositories.findings import (
        as_markdown,
        as_rows,
        as_sarif,
        left_out_of_sarif,
        left_out_rows,
    )
    from bot.views.repositories.joined import joined_markdown, joined_results, joined_rows

    log_of_other = _log_of(other, where)
    audited = _audited(where, config, show_all)
    findings = audited.findings
    joined = joined_results(log_of_other, other.value) if other is not None else ()
    match output:
        case AuditFormat.JSON:
            print_json([*as_rows(findings), *left_out_rows(audited.left_out), *joined_rows(joined)])
        case AuditFormat.SARIF:
            from importlib.metadata import version

            from bot.files.audit.rules import RULES

            log = as_sarif(findings, RULES, version("freshness-bot"), audited.patches())
            print_json({**log, "runs": [*log["runs"], *log_of_other["runs"]]}, for_people=False)
            if left_out := left_out_of_sarif(log):
                print_aside(left_out)
        case AuditFormat.MARKDOWN:
            sys.stdout.write(as_markdown(findings, audited.patches()))
            if other is not None:
                sys.stdout.write("\n".join((*joined_markdown(joined, other.value), "")))
        case AuditFormat.TABLE:
            _show(audited, show_all)
            if other is not None:
                _show_joined(joined, other.value)
    outcomes = {finding.outcome for finding in findings}
    if Outcome.FAILS in outcomes or any(each.is_failure for each in joined):
        sys.exit(_FAILS)
    sys.exit(_CANNOT_TELL if Outcome.UNKNOWN in outcomes else _HOLDS)


def _audited(path_or_name: str, config: Path, judges_all: bool) -> "AuditedCheckout":
    from bot.commands.files.audit import audited, is_repository_name
    from bot.domain.clock import SystemClock

    if Path(path_or_name).exists() or not is_repository_name(path_or_name):
        with progress_of("reading") as progress:
            return audited(Path(path_or_name), SystemClock(), progress, leaves_out=not judges_all)
    from bot.cli.asking import waited_for
    from bot.commands.files.audit_of_fleet import audited_repository
    from bot.settings import load

    return waited_for(audited_repository(load(config), path_or_name, SystemClock()), "reading")


def _log_of(other: OtherTool | None, where: str) -> dict[str, Any]:
    """What another tool says of a checkout; nothing where none is asked."""
    if other is None:
        return {"runs": []}
    from bot.cli.asking import waited_for
    from bot.commands.files.audit import joined_log
    from bot.domain.failure import Failure, Trouble

    if not Path(where).exists():
        advice = "clone it, and name its folder"
        raise Failure(Trouble.MALFORMED, "looks at a checkout alone", where=f"--with {other.value}", advice=advice)
    return waited_for(joined_log(Path(where)), "asking the other tool")


def _show_joined(joined: "tuple[JoinedResult, ...]", tool: str) -> None:
    from bot.views.repositories.joined import joined_in_words

    print_line(joined_in_words(joined, tool))
    if joined:
        rows = [(each.path, each.line, each.level, each.check, each.message) for each in joined]
        print_table(("file", "line", "level", "check", "message"), rows, Layout(group=True, below=("message",)))


def _show(audited: "AuditedCheckout", show_all: bool) -> None:
    from bot.domain.repositories.finding import Outcome
    from bot.views.repositories.findings import collapsed, counts, left_out_in_words

    findings, fixtures = audited.findings, {} if show_all else audited.fixtures
    counts_in_words = ", ".join(f"{number} {outcome.value}" for outcome, number in counts(findings).items())
    print_line(f"{counted(len(findings), 'finding')}: {counts_in_words or 'nothing here is what a check is about'}")
    if left_out := left_out_in_words(audited.left_out):
        print_line(left_out)
    for line in collapsed(findings, fixtures):
        print_line(line)
    shown_findings = [
        finding
        for finding in findings
        if show_all
        or not (finding.outcome in {Outcome.HOLDS, Outcome.NOT_APPLICABLE} or finding.place.path in fixtures)
    ]
    if shown_findings:
        print_table(
            ("file", "line", "outcome", "severity", "check", "subject", "message", "advice"),
            [
                (
                    *(
                        finding.place.path,
                        finding.place.start,
                        finding.outcome,
                        finding.severity,
                        finding.check,
                        finding.subject,
                    ),
                    *(finding.message, finding.settled_by or (finding.fix.in_words if finding.fix else "")),
                )
                for finding in shown_findings
            ],
            Layout(group=True, below=("message", "advice")),
        )
