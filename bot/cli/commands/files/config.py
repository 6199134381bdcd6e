"""`config check` and `config schema`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(help="Check the settings file, or print its JSON Schema.", no_args_is_help=True)


@app.command()
def check(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Checks the settings file and every file that it names.

    It also tells what they say in vain: waves that no rule uses, rules and globs that never match, freezes and
    exceptions of the gate that have ended, and, where there is a store, workflows that no repository has.

    Exit code 0 where all is valid; 2 with one line for each defect.

    Example: freshness-bot config check -c freshness.yaml
    """
    from bot.cli.screen.output import print_line
    from bot.commands.files.named_files import check_files
    from bot.settings import check_secrets, load

    settings = load(config)
    check_secrets(settings, config)
    check_files(settings, config)
    show_remarks(settings, config)
    print_line(f"{config}: all settings are valid")


def show_remarks(settings: "Settings", config: Path) -> None:
    """Writes a line for each thing that valid settings say in vain, or could say besides."""
    from bot.cli.asking import waited_for
    from bot.cli.screen.output import print_line
    from bot.commands.files.config import known_workflows, unwatched_in_fleet
    from bot.domain.clock import SystemClock
    from bot.settings.review import missing_workflows, review, review_gate, review_times

    clock = SystemClock()
    workflows = waited_for(known_workflows(settings, clock))
    remarks = (
        *settings.former_names(),
        *review(settings),
        *review_gate(settings, clock.now()),
        *review_times(settings, clock.now()),
        *missing_workflows(settings, workflows),
    )
    for line in remarks:
        print_line(f"{config}: {line}")
    for image in waited_for(unwatched_in_fleet(settings, clock)):
        print_line(f"{config}: {image}")


@app.command()
def schema(
    output: Annotated[
        str, typer.Option("--output", "-o", help="Write to this file instead of standard output.")
    ] = "-",
) -> None:
    """Prints the JSON Schema of the settings file, for editors and for checks in CI.

    Exit codes: 0 it is written, 2 it cannot be.

    Example: freshness-bot config schema -o freshness.schema.json
    """
    import json

    from bot.domain.failure import Failure, Trouble
    from bot.settings.model import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    if output == "-":
        print(text)
    else:
        try:
            Path(output).write_text(f"{text}\n", encoding="utf-8")
        except OSError as error:
            raise Failure(Trouble.DENIED, f"cannot be written: {error.strerror}", where=output) from error
