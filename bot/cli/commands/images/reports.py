"""`reports`: what scanners found in images, kept for the image that each report is about."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.asking import asked
from bot.cli.commands.images.gate import REPORT_HELP
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.packages.cves.detected import DetectedVulnerability
    from bot.images.scan_reports import ScanReport

_GONE: dict[str, Any] = {
    "digests": None,
    "scanned_at": None,
    "gaps": [],
    "findings": None,
    "suppressed": None,
    "kept_at": None,
    "damaged": True,
}

app = typer.Typer(help="What scanners found in images.", no_args_is_help=True)


@app.callback()
def _reports() -> None:
    """What scanners found in images."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=f"{REPORT_HELP}.")],
    image: Annotated[
        str | None, typer.Option("--image", help="registry/name@digest, where the report does not name it.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Keeps a scanner's report for the image that it is about.

    An image is told by its digest alone: a tag may show another one by now. Exit codes: 0 it is kept, 2 it is no
    report, names no image, or another one than --image.

    Example: freshness-bot reports import trivy.json
    """
    from bot.cli.screen.output import print_json, print_line
    from bot.commands.images.scan_reports import import_report

    scan = asked(config, lambda settings, clock: import_report(settings, file, image, clock))
    if output is Format.JSON:
        print_json(_as_json(scan))
        return
    for digest in sorted(scan.report.names):
        print_line(f"kept for {digest}")
    print_line(_line(scan, None))


@app.command("list")
def list_(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="registry/name@digest of an image.")],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Lists the reports that are kept of an image, imported or left behind by workflows, the last scan first.

    One that is damaged in the store is named. Exit codes: 0 there are some, 2 that is no image's digest, 3 there is
    none that can be read.

    Example: freshness-bot reports list ghcr.io/contoso/shop@sha256:DIGEST
    """
    from bot.cli.screen.output import print_json, print_line
    from bot.commands.images.scan_reports import kept_reports

    reports = asked(config, lambda settings, clock: kept_reports(settings, image, clock))
    if output is Format.JSON:
        readable = [_as_json(each.scan) | {"kept_at": each.kept_at.isoformat()} for each in reports.kept]
        keys = ("document", "origin", "place")
        print_json([*readable, *({key: getattr(each, key) for key in keys} | _GONE for each in reports.damaged)])
    else:
        for entry in reports.kept:
            print_line(_line(entry.scan, entry.kept_at))
        for damaged in reports.damaged:
            print_line(f"{damaged.place} ({damaged.origin}): damaged in the store; bring it again")
    if not reports.kept:
        if output is Format.TABLE:
            lacks = "None of them can be read" if reports.damaged else "No report is kept for this image"
            print_line(f"{lacks}: what scanners found in it is not known.")
        raise typer.Exit(3)


def _line(scan: "ScanReport", kept_at: "datetime | None") -> str:
    """Words where a report is from, when the image was scanned, and how much was found."""
    from bot.cli.screen.text import moment
    from bot.domain.wording.words import counted

    made = scan.report.created_at
    scanned = f"scanned {moment(made)}" if made is not None else "it does not say when the image was scanned"
    keeping = f", kept {moment(kept_at)}" if kept_at is not None else ""
    gaps = "".join(f"; {gap}" for gap in scan.report.all_gaps)
    findings = counted(len(scan.report.vulnerabilities), "finding")
    suppressed = f" and {len(scan.report.suppressed)} suppressed" if scan.report.suppressed else ""
    return f"{scan.place} ({scan.origin.value}): {findings}{suppressed}, {scanned}{keeping}{gaps}"


def _as_json(scan: "ScanReport") -> dict[str, Any]:
    made = scan.report.created_at

    def row(vulnerability: "DetectedVulnerability") -> dict[str, str]:
        columns = ("id", "package", "installed", "fixed", "severity")
        return {column: str(getattr(vulnerability, column)) for column in columns}

    return {
        "document": scan.document,
        "origin": scan.origin.value,
        "place": scan.place,
        "digests": sorted(scan.report.names),
        "scanned_at": made.isoformat() if made is not None else None,
        "gaps": list(scan.report.all_gaps),
        "findings": [row(each) for each in scan.report.vulnerabilities],
        "suppressed": [row(each.found) | {"why": each.why} for each in scan.report.suppressed],
    }
