"""`packages`: what is inside an image, and which images hold a package; nobody else is asked."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import CONFIG_VARIABLE, DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import EveryRow, print_aside
from bot.cli.screen.progress import progress_of

if TYPE_CHECKING:
    from bot.domain.packages.changes import PackageChange
    from bot.domain.packages.package import Inventory, Sbom

app = typer.Typer(help="What is inside an image, and which version is newer.", no_args_is_help=True)

SOURCE_HELP = (
    "registry/name:tag of an image, a folder with an OCI image layout or like a root file system, or an SBOM file."
)


def source_path(text: str) -> Path:
    """Refuses an empty text, which a path would take for the folder that one is in."""
    if not text:
        raise typer.BadParameter("it is empty; name an image, a folder or a file")
    return Path(text)


Source = Annotated[Path, typer.Argument(metavar="SOURCE", help=SOURCE_HELP, parser=source_path)]
Access = Annotated[
    Path | None,
    typer.Option(
        *("--config", "-c"),
        envvar=CONFIG_VARIABLE,
        help="Settings whose registries may be asked; without them, Microsoft's alone.",
    ),
]


def platform_named(text: str | None) -> str | None:
    """The platform as indexes are read. Refuses what is none, such as the text of a variable that is not set."""
    from bot.domain.platform import InvalidPlatform, Platform

    try:
        return None if text is None else str(Platform.parse(text))
    except InvalidPlatform as error:
        raise typer.BadParameter(f"it is {error}") from None


Platform = Annotated[
    str | None,
    typer.Option(
        "--platform",
        help="Of an image for several platforms, for example linux/arm64.",
        callback=platform_named,
    ),
]


@app.command("list")
def list_packages(
    source: Source, platform: Platform = None, config: Access = None, output: OutputFormat = Format.TABLE
) -> None:
    """Lists every package of an image or folder.

    Below the table of an image stand the SBOMs that its registry shows: whether each is proved by a signature that
    the settings trust, or only claimed, and what it lists other than the layers show.

    Exit codes: 0 all was read, 2 there is no such source or it cannot be asked, 3 something in it cannot be read.

    Example: freshness-bot packages list ghcr.io/contoso/shop:1 -f json
    """
    from dataclasses import asdict

    from bot.cli.screen.output import print_json
    from bot.commands.images.packages import check_platform_is_of_image, read_source

    check_platform_is_of_image(platform, source)
    with progress_of("reading"):
        inventory = read_source(source, platform, config)
    tell_where_nothing_was_found(inventory)
    if inventory.packages or not inventory.problems:
        if output is Format.JSON:
            print_json([asdict(package) for package in inventory.packages])
        else:
            _show(inventory, " (an SBOM's word)" if source.is_file() else "")
            _show_sboms(source, platform, config, inventory)
    end_with(inventory.problems)


@app.command()
def find(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Of a package, or of the source package that it is built from."),
    ] = None,
    below: Annotated[str | None, typer.Option("--below", help="Only versions older than this one.")] = None,
    package_type: Annotated[str | None, typer.Option("--type", help="deb, rpm, apk or nuget.")] = None,
    cve: Annotated[
        str | None, typer.Option("--cve", help="Packages that this CVE affects, or a record such as USN-1-1.")
    ] = None,
    show_all: EveryRow = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Finds the images of the fleet that hold a package.

    Where they run, who produces them, since when each holds that version, and whether its base has another one by
    now. The table has at most eight rows and counts the rest; --all and --format json have every one. Reads the
    store alone and can run beside the service. Exit codes: 0 all images are known, 2 the question makes no sense,
    3 no image is known, some could not be read, or not as a whole, or CVE data that --cve needs is missing or old.

    Example: freshness-bot packages find openssl --below 3.0.13-0ubuntu3.6
    """

    from bot.cli.tables import show_found
    from bot.commands.images.inventory import find_packages
    from bot.domain.clock import SystemClock
    from bot.settings import load

    question = find_packages(load(config), name, below, package_type, cve, SystemClock())
    show_found(waited_for(question), output, show_all=show_all)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help=SOURCE_HELP, parser=source_path)],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help=SOURCE_HELP, parser=source_path)],
    platform: Platform = None,
    config: Access = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Lists what AFTER has other than BEFORE: two bases, or an image and its SBOM.

    Exit codes: 0 nothing differs, 1 something does, 2 there is no such source or it cannot be asked, 3 something in
    one cannot be read.

    Example: freshness-bot packages diff ./before ./after
    """
    from dataclasses import asdict

    from bot.cli.screen.output import print_json, print_line, print_table
    from bot.commands.images.packages import check_platform_is_of_image, read_source
    from bot.domain.packages.changes import package_changes
    from bot.domain.wording.words import counted

    check_platform_is_of_image(platform, before, after)
    with progress_of("reading"):
        old, new = read_source(before, platform, config), read_source(after, platform, config)
    changes = package_changes(old.packages, new.packages)
    if output is Format.JSON:
        print_json([{k: v for k, v in asdict(change).items() if k != "notices"} for change in changes])
    elif changes:
        print_line(f"{counted(len(changes), 'package')} {'differs' if len(changes) == 1 else 'differ'}")
        columns = ("name", "before", "after", "direction")
        print_table(columns, ([getattr(change, column) for column in columns] for change in changes))
    else:
        print_line("nothing differs")
    end_with((*old.problems, *new.problems))
    if changes:
        raise typer.Exit(1)


@app.command()
def compare(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="JSON Lines; standard input where it is left out, or -.")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", "-f", help="JSON Lines, or a table for people.")
    ] = Format.JSON,
) -> None:
    """Compares versions, a JSON line for each pair.

    Reads lines of {"type", "a", "b"} and adds "order": -1 where a is older, 0 where both are equal, 1 else.
    A line that cannot be compared gets "order": null and the reason. Exit codes: 0 all compared, 2 some not.

    Example: freshness-bot packages compare pairs.jsonl
    """
    import json

    from bot.cli.screen.output import print_line, print_table
    from bot.commands.images.packages import compared_lines
    from bot.domain.wording.words import counted

    answers = compared_lines(file)
    if output is Format.JSON:
        has_problem = False
        for answer in answers:
            sys.stdout.write(f"{json.dumps(answer)}\n")
            has_problem = has_problem or answer["order"] is None
    else:
        rows = list(answers)
        has_problem = any(answer["order"] is None for answer in rows)
        not_compared = sum(answer["order"] is None for answer in rows)
        print_line(f"{counted(len(rows), 'pair')}, {not_compared} that cannot be compared")
        signs = {-1: "<", 0: "=", 1: ">", None: "?"}
        print_table(
            ("type", "a", "", "b"),
            ([each.get("type"), each.get("a"), signs[each["order"]], each.get("b")] for each in rows),
        )
    if has_problem:
        raise typer.Exit(2)


def _show(inventory: "Inventory", by: str) -> None:
    """A table for each type, so that names and versions have the width of a terminal to themselves."""
    from itertools import groupby

    from bot.cli.screen.output import print_line, print_table

    print_line(f"packages: {len(inventory.packages)}, on {inventory.distribution or 'an unknown distribution'}{by}")
    columns = ("name", "version", "architecture")
    ordered = sorted(inventory.packages, key=lambda package: package.sort_key)
    for kind, packages in groupby(ordered, lambda package: package.type):
        rows = [[getattr(package, column) for column in columns] for package in packages]
        has_architectures = any(row[-1] for row in rows)
        shown_columns = columns if has_architectures else columns[:-1]
        print_line(f"{kind or 'no package URL'}: {len(rows)}")
        print_table(shown_columns, (row[: len(shown_columns)] for row in rows))


def _show_sboms(source: Path, platform: str | None, config: Path | None, inventory: "Inventory") -> None:
    """Writes a line for each SBOM beside an image, and what it lists otherwise."""

    from bot.cli.screen.output import print_line
    from bot.commands.images.packages import named_image
    from bot.commands.images.sboms import sboms_beside
    from bot.domain.clock import SystemClock
    from bot.domain.failure import Failure
    from bot.settings import Settings, load

    image = named_image(source)
    if image is None:
        return
    settings = load(config) if config is not None else Settings()
    try:
        sboms = waited_for(sboms_beside(settings, image, platform, inventory, SystemClock()))
    except Failure as failure:
        print_aside(f"SBOMs cannot be asked for: {failure}")
        return
    for compared in sboms:
        print_line(sbom_line(compared.sbom))
        for problem in compared.sbom.inventory.problems:
            print_line(f"  {problem}")
        if not compared.sbom.inventory.problems:
            show_differences(compared.differences)


def sbom_line(sbom: "Sbom") -> str:
    """Words where an SBOM comes from and what it is worth."""
    from bot.domain.wording.words import counted

    package_count = counted(len(sbom.inventory.packages), "package")
    return f"SBOM ({sbom.origin.value}) with {package_count}, {sbom.strength.value}: {sbom.signer_text}"


def show_differences(changes: "tuple[PackageChange, ...]") -> None:
    """Writes what an SBOM lists other than the layers show."""
    from bot.cli.screen.output import print_line, print_table

    if not changes:
        print_line("it lists what the layers show")
        return
    print_table(("name", "layers", "SBOM"), ([each.name, each.before, each.after] for each in changes))


def tell_where_nothing_was_found(inventory: "Inventory") -> None:
    """Says on standard error that an empty list does not mean that nothing is inside."""
    if not inventory.packages and not inventory.problems:
        print_aside("no package was found: what is inside is not known")


def end_with(problems: tuple[str, ...]) -> None:
    """Says on standard error what could not be read, and ends with `INCOMPLETE` where anything could not."""
    from bot.cli.unknown import INCOMPLETE

    for problem in problems:
        print_aside(problem)
    if problems:
        raise typer.Exit(INCOMPLETE)
