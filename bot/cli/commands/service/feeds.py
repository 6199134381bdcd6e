"""`feeds bundle`: what feeds and dumps told, carried to where neither can be asked."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.asking import asked
from bot.cli.groups import ListedCommands
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.progress import progress_of

app = typer.Typer(help="What feeds told, for where none can be asked.", no_args_is_help=True)
bundle = typer.Typer(help="One file with all that feeds and dumps of vulnerabilities told.", no_args_is_help=True)
app.add_typer(bundle, name="bundle", cls=ListedCommands)


@app.callback()
def _feeds() -> None:
    """What feeds told, for where none can be asked."""


@bundle.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; one that is there is replaced.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="File with a private key on P-256 in PEM, to sign it with.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Writes all that is kept of feeds and of vulnerabilities into one file.

    Each document and record keeps its source and age. The same contents give the same bytes. Reads the store alone
    and can run beside the service. Exit codes: 0 it is written, 2 nothing is kept yet, or it cannot be written.

    Example: freshness-bot feeds bundle export feeds.bundle --key key.pem
    """
    from dataclasses import asdict

    from bot.cli.screen.output import print_json, print_line
    from bot.cli.screen.text import moment
    from bot.commands.service.bundle import export_bundle
    from bot.domain.wording.words import counted

    with progress_of("writing"):
        summary = asked(config, lambda settings, clock: export_bundle(settings, file, key, clock))
    if output is Format.JSON:
        oldest = summary.oldest.isoformat() if summary.oldest is not None else None
        print_json(asdict(summary) | {"oldest": oldest, "file": str(file)})
        return
    records = f"{counted(summary.records, 'record')} of {counted(summary.dumps, 'publisher')} of vulnerabilities"
    print_line(f"{file}: {counted(summary.documents, 'document')} of feeds, {records}")
    signed = "signed" if summary.is_signed else "not signed"
    print_line(f"{signed}; the oldest part is from {moment(summary.oldest) if summary.oldest else 'no time'}")


@bundle.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `feeds bundle export` wrote.")],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Brings what a bundle holds, as far as it is newer than what is here.

    All of it is checked first: if anything is not as its digest says, nothing is imported. With feeds.bundle_key
    it must be signed by that key. Exit codes: 0 done, 1 packages here were not looked for where it was made, 2 it
    is no bundle, or not signed as it must be.

    Example: freshness-bot feeds bundle import feeds.bundle
    """
    from bot.cli.screen.output import print_json, print_line, print_table
    from bot.cli.screen.text import moment
    from bot.commands.service.bundle import import_bundle
    from bot.domain.wording.words import counted

    with progress_of("taking in"):
        brought = asked(config, lambda settings, clock: import_bundle(settings, file, clock))
    if output is Format.JSON:
        parts = [
            {
                "name": part.name,
                "as_of": part.as_of.isoformat(),
                "outcome": part.fate.name.lower(),
                "not_considered": part.not_considered,
                "releases_not_considered": list(part.releases),
                "of_versions_there": part.versions_there,
            }
            for part in brought.parts
        ]
        print_json({"signature": brought.signature, "parts": parts})
    else:
        print_line(f"{file}: {brought.signature}")
        print_table(
            ("as of", "outcome", "what"),
            [(moment(each.as_of), each.fate.value, each.name) for each in brought.parts],
        )
        for part in brought.parts:
            if part.not_considered:
                names = counted(part.not_considered, "name")
                print_line(f"{part.name}: {names} of packages here were not looked for where the bundle was made")
            if part.releases:
                print_line(f"{part.name}: nobody looked for {', '.join(part.releases)} where the bundle was made")
            if part.versions_there:
                print_line(
                    f"{part.name}: an API was asked about the versions there, and of others here says nothing"
                )
    if not all(each.is_whole for each in brought.parts):
        raise typer.Exit(1)
