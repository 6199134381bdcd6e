"""`sbom`: what is inside as an SBOM, and SBOMs that are kept for an image."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import asked
from bot.cli.commands.images.packages import (
    SOURCE_HELP,
    Access,
    Platform,
    end_with,
    sbom_line,
    show_differences,
    source_path,
    tell_where_nothing_was_found,
)
from bot.cli.commands.images.trust_options import bad
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.progress import progress_of

if TYPE_CHECKING:
    from bot.commands.images.sboms_of_fleet import Document

OneOrNone = Annotated[Path | None, typer.Argument(metavar="SOURCE", help=SOURCE_HELP, parser=source_path)]


class SbomFormat(StrEnum):
    SPDX = "spdx"
    CYCLONEDX = "cyclonedx"


app = typer.Typer(help="Software bills of materials.", no_args_is_help=True)


@app.callback()
def _sbom() -> None:
    """Software bills of materials."""


@app.command()
def export(
    source: OneOrNone = None,
    platform: Platform = None,
    config: Access = None,
    output: Annotated[
        SbomFormat, typer.Option("--format", "-f", help="SPDX 2.3 or CycloneDX 1.6.")
    ] = SbomFormat.SPDX,
    everything: Annotated[
        bool, typer.Option("--all", help="Of every image of the fleet, as the service has read it; needs --to.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--to", help="With --all: the folder that a file for each image goes to.")
    ] = None,
) -> None:
    """Writes what is inside as an SBOM in JSON: of one source to standard output, or for auditors of all images.

    Exit codes: 0 all was read, 2 there is no such source or it cannot be asked, 3 something cannot be read, or is
    not read yet.

    Example: freshness-bot sbom export ./layout --format cyclonedx
    """
    from importlib.metadata import version

    from bot.cli.screen.output import print_json
    from bot.commands.images.packages import check_platform_is_of_image, read_source
    from bot.domain.clock import SystemClock
    from bot.images.sbom.export import as_cyclonedx, as_spdx

    write = as_spdx if output is SbomFormat.SPDX else as_cyclonedx
    if everything:
        if source is not None or platform is not None or folder is None:
            raise bad("--all is for every image", "leave out SOURCE and --platform, and name a folder with --to")
        now, made_by = SystemClock().now(), version("freshness-bot")
        _export_all(
            config or DEFAULT_CONFIG, folder, output, lambda content, name: write(content, name, now, made_by)
        )
        return
    if source is None or folder is not None:
        raise bad("SOURCE must be given, and --to only with --all", "see --help")
    check_platform_is_of_image(platform, source)
    with progress_of("reading"):
        inventory = read_source(source, platform, config)
    tell_where_nothing_was_found(inventory)
    if inventory.packages or not inventory.problems:
        name = source.resolve().name or str(source.resolve())
        print_json(write(inventory, name, SystemClock().now(), version("freshness-bot")))
    end_with(inventory.problems)


def _export_all(config: Path, folder: Path, form: SbomFormat, made: "Document") -> None:
    from bot.cli.screen.output import print_line
    from bot.commands.images.sboms_of_fleet import write_sboms
    from bot.domain.wording.words import counted

    batch = asked(config, lambda settings, clock: write_sboms(settings, folder, form.value, made, clock))
    print_line(f"{counted(len(batch.files), 'SBOM')} in {folder}")
    end_with(batch.problems)


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="SPDX, CycloneDX or syft's own as JSON, plain or as an attestation; - is standard input.",
        ),
    ],
    image: Annotated[str, typer.Option("--image", help="registry/name:tag or @digest of an image of the fleet.")],
    platform: Platform = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Keeps an SBOM for what an image of the fleet shows now.

    `packages find` and the image's page heed it, and say that it is proved where it is an attestation about this
    image that the settings trust, else claimed. What the layers show counts more. Exit codes: 0 it is kept, 2 it is
    no SBOM, about another image, or no such image is known.

    Example: freshness-bot sbom import sbom.json --image ghcr.io/contoso/shop:1
    """
    from dataclasses import asdict

    from bot.cli.screen.output import print_json, print_line
    from bot.commands.images.sboms import import_sbom

    record = asked(config, lambda settings, clock: import_sbom(settings, file, image, platform, clock))
    if output is Format.JSON:
        differences = None if record.differences is None else [asdict(each) for each in record.differences]
        print_json(
            {
                "image": record.image,
                "platform": record.platform,
                "document": record.sbom.document,
                "strength": record.sbom.strength.value,
                "told": record.sbom.signer_text,
                "packages": len(record.sbom.inventory.packages),
                "differences": differences,
            }
        )
        return
    print_line(f"kept for {record.image}, {record.platform}")
    print_line(sbom_line(record.sbom))
    if record.differences is None:
        print_line("its layers are not read yet: what differs will stand on its page")
    else:
        show_differences(record.differences)
