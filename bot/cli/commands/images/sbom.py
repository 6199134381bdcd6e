"""`sbom`: what is inside as an SBOM, and SBOMs that are kept for an image."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.asking import asked
from bot.cli.commands.images.packages import Access, Platform, Source, end_with, sbom_line, show_differences
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat


class SbomFormat(StrEnum):
    SPDX = "spdx"
    CYCLONEDX = "cyclonedx"


app = typer.Typer(help="Software bills of materials.", no_args_is_help=True)


@app.callback()
def _sbom() -> None:
    """Software bills of materials."""


@app.command()
def export(
    source: Source,
    platform: Platform = None,
    config: Access = None,
    output: Annotated[
        SbomFormat, typer.Option("--format", "-f", help="SPDX 2.3 or CycloneDX 1.6.")
    ] = SbomFormat.SPDX,
) -> None:
    """Writes what is inside as an SBOM in JSON.

    Exit codes: 0 all was read, 2 there is no such source, 3 something in it cannot be read.
    """
    from importlib.metadata import version

    from bot.cli.output import print_json
    from bot.domain.clock import SystemClock
    from bot.service.commands.images.packages import read_source
    from bot.verify.sbom.export import as_cyclonedx, as_spdx

    inventory = read_source(source, platform, config)
    write = as_spdx if output is SbomFormat.SPDX else as_cyclonedx
    if inventory.packages or not inventory.problems:
        print_json(write(inventory, source.resolve().name, SystemClock().now(), version("freshness-bot")))
    end_with(inventory.problems)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="SPDX 2 or CycloneDX as JSON, plain or as an attestation.")],
    image: Annotated[str, typer.Option("--image", help="registry/name:tag or @digest of an image of the fleet.")],
    platform: Platform = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Keeps an SBOM for what an image of the fleet shows now.

    `packages find` and the image's page heed it, and say that it is proved where it is an attestation about this
    image that the settings trust, else claimed. What the layers show counts more. Exit codes: 0 it is kept, 2 it is
    no SBOM, about another image, or no such image is known.
    """
    from dataclasses import asdict

    from bot.cli.output import print_json, print_line
    from bot.service.commands.images.sboms import import_sbom

    kept = asked(config, lambda settings, clock: import_sbom(settings, file, image, platform, clock))
    if output is Format.JSON:
        differences = None if kept.differences is None else [asdict(each) for each in kept.differences]
        print_json(
            {
                "image": kept.image,
                "platform": kept.platform,
                "document": kept.sbom.document,
                "strength": kept.sbom.strength.value,
                "told": kept.sbom.told,
                "packages": len(kept.sbom.inventory.packages),
                "differences": differences,
            }
        )
        return
    print_line(f"kept for {kept.image}, {kept.platform}")
    print_line(sbom_line(kept.sbom))
    if kept.differences is None:
        print_line("its layers are not read yet: what differs will stand on its page")
    else:
        show_differences(kept.differences)
