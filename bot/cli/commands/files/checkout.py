"""`scan` and `update`: the usages of a local checkout."""

import sys
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import CONFIG_VARIABLE, Format, OutputFormat
from bot.cli.screen.output import Layout, print_aside, print_json, print_line, print_table
from bot.cli.screen.progress import progress_of
from bot.domain.bases.dotnet import ImageFamily, references_by_family
from bot.domain.wording.words import counted
from bot.views.names import short_reference
from bot.views.repositories.scan import Freshness, as_json, support_in_words, why_in_words

if TYPE_CHECKING:
    from bot.commands.files.checkout import Updated
    from bot.domain.failure import Failure
    from bot.domain.repositories.usage import Replacement
    from bot.settings import Settings
    from bot.views.repositories.scan import FolderScan, ScannedUsage

OptionalConfig = Annotated[
    Path | None,
    typer.Option(
        *("--config", "-c"),
        envvar=CONFIG_VARIABLE,
        help="A settings file, for its bases and registries; not needed for MCR.",
    ),
]


class FailOn(StrEnum):
    """What ends `scan` with 1 beside what is stale."""

    ENDED = "ended"


def scan(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A checkout, or one file of it.")] = Path("."),
    offline: Annotated[bool, typer.Option("--offline", help="Ask no registry.")] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Read release feeds too, and say what each stale pin lacks.")
    ] = False,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="End with 1 where the support of one has ended, too.")
    ] = None,
    config: OptionalConfig = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Finds every image reference, and says which are stale.

    What is fresh and out of support has a line of its own below the table, and so has what soon will be: no more
    fixes will come to it. `--fail-on ended` has it count as stale does.

    Exit codes: 0 no watched reference is stale, 1 one is, 2 bad input, 3 a registry could not tell; 1 wins over 3.

    Example: freshness-bot scan ~/src/shop --offline
    """
    import asyncio

    from bot.commands.files import checkout
    from bot.domain.clock import SystemClock

    if offline and why:
        raise _no_feeds_offline()
    clock = SystemClock()
    with progress_of("reading") as progress:
        folder_scan = asyncio.run(
            checkout.scan(path, _settings(config), clock, offline=offline, progress=progress, why=why)
        )
    told_at = clock.now() if why else None
    if output is Format.JSON:
        print_json(as_json(folder_scan, told_at))
    else:
        _show(folder_scan, clock.now(), with_why=why)
    for line in folder_scan.unread:
        print_aside(line)
    for problem in folder_scan.problems:
        print_aside(f"{problem.path}:{problem.line}: {problem.message}")
    fails_by_support = fail_on is FailOn.ENDED and bool(folder_scan.ended(clock.now().date()))
    if folder_scan.count(Freshness.STALE) or fails_by_support:
        sys.exit(1)
    sys.exit(3 if any(item.could_not_look for item in folder_scan.scanned) else 0)


def _no_feeds_offline() -> "Failure":
    from bot.domain.failure import Failure, Trouble

    advice = "leave one of the two out"
    return Failure(Trouble.MALFORMED, "what a pin lacks is told by feeds", where="--offline --why", advice=advice)


def update(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A checkout, or one file of it.")] = Path("."),
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="OLD=NEW", help="Whole references: repo:tag@digest=repo:newtag@newdigest."),
    ] = None,
    config: OptionalConfig = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Rewrites stale references in place, and nothing else.

    Every other byte stays as it is. With --set no network is used; without, stale references take what their
    registry shows now.

    Exit codes: 0 what is stale is rewritten, 1 a reference could not be, 2 bad input, 3 a registry could not tell;
    1 wins over 3.

    Example: freshness-bot update ~/src/shop --set node:22=node:24
    """
    from bot.commands.files import checkout

    silent: list[ScannedUsage] = []
    if changes:
        results = _apply_replacements(path, [_replacement(text) for text in changes])
    else:
        folder_scan = _looked(path, _settings(config))
        for place in folder_scan.open_references:
            print_aside(f"{place.path}:{place.line}: {place.reason}")
        silent = [item for item in folder_scan.scanned if item.could_not_look]
        results = checkout.update(path, checkout.replacements_for(folder_scan))
    for item in silent:
        print_aside(f"{item.usage.path}:{item.usage.line}: {item.note}")
    if output is Format.JSON:
        print_json(
            [
                {
                    "file": item.path,
                    "edits": item.edits,
                    "refused": [problem.message for problem in item.refused],
                    **({"moved": [note.message for note in item.moved]} if item.moved else {}),
                }
                for item in results
            ]
        )
    else:
        _show_updates(results, len(silent))
    if any(item.refused for item in results):
        sys.exit(1)
    sys.exit(3 if silent else 0)


def _apply_replacements(path: Path, replacements: "list[Replacement]") -> "list[Updated]":
    """Rewrites what `--set` names; raises `Failure` where an old reference occurs nowhere."""
    import asyncio

    from bot.commands.files import checkout
    from bot.domain.clock import SystemClock
    from bot.domain.failure import Failure, Trouble

    with progress_of("reading") as progress:
        folder_scan = asyncio.run(checkout.scan(path, None, SystemClock(), offline=True, progress=progress))
    references = {item.usage.reference for item in folder_scan.scanned}
    for replacement in replacements:
        may_stand = any(place.may_be(replacement.old) for place in folder_scan.open_references)
        if replacement.old not in references and not may_stand:
            near = checkout.nearest(folder_scan, replacement.old)
            raise Failure(
                Trouble.MISSING,
                f"{replacement.old} occurs nowhere below {path}",
                where="--set",
                advice=f"the nearest is {near}" if near else "`freshness-bot scan --offline` lists what does",
            )
    return checkout.update(path, replacements)


def _looked(path: Path, settings: "Settings | None") -> "FolderScan":
    import asyncio

    from bot.commands.files import checkout
    from bot.domain.clock import SystemClock

    with progress_of("reading") as progress:
        looked = checkout.scan(path, settings, SystemClock(), offline=False, progress=progress, compares=True)
        return asyncio.run(looked)


def _replacement(text: str) -> "Replacement":
    from bot.domain.failure import Failure, Trouble
    from bot.domain.reference import InvalidReference, Reference
    from bot.domain.repositories.usage import Replacement

    old, equals, new = text.partition("=")
    try:
        if not equals:
            raise InvalidReference(f"{text!r} has no '='")
        return Replacement(Reference.parse(old), Reference.parse(new))
    except InvalidReference as error:
        raise Failure(
            Trouble.MALFORMED, str(error), where="--set", advice="write OLD=NEW with whole references"
        ) from error


def _settings(config: Path | None) -> "Settings | None":
    if config is None:
        return None
    from bot.settings import load

    return load(config)


def _show(folder_scan: "FolderScan", now: datetime, *, with_why: bool) -> None:
    """Writes the table, with what stale pins lack where that was asked for, then what is out of support."""
    told_at = now if with_why else None
    counts = ", ".join(f"{number} {state}" for state in Freshness if (number := folder_scan.count(state)))
    files = counted(folder_scan.files, "file")
    print_line(f"{counted(len(folder_scan.scanned), 'reference')} in {files}{': ' if counts else ''}{counts}")
    if folder_scan.scanned:
        spell = short_reference if sys.stdout.isatty() else str
        why = () if told_at is None else ("lacks",)
        print_table(
            ("file", "line", "reference", "role", "freshness", "becomes", *why),
            [
                (
                    *(i.usage.path, i.usage.line, spell(i.usage.reference)),
                    *(i.usage.role, i.freshness, spell(i.becomes) if i.becomes else i.note),
                    *(() if told_at is None else (why_in_words(i, told_at),)),
                )
                for i in folder_scan.scanned
            ],
            Layout(group=True, below=("becomes", *why)),
        )
    for line in (*support_in_words(folder_scan, now.date()), *_tell_images(folder_scan)):
        print_line(line)


def _tell_images(folder_scan: "FolderScan") -> Iterator[str]:
    """Yields how many images of other families there are, and what nobody watches."""
    families = references_by_family(
        item.usage.reference for item in folder_scan.scanned if item.usage.sdk_pin is None
    )
    special = [
        f"{families[family]} {family}"
        for family in ImageFamily
        if family is not ImageFamily.DOTNET and family in families
    ]
    if special:
        yield f"among them: {', '.join(special)}"
    yield from map(str, folder_scan.unwatched)


def _show_updates(results: "list[Updated]", not_told: int) -> None:
    for item in results:
        if item.edits:
            print_line(f"{item.path}: {counted(item.edits, 'place')} rewritten")
            for note in item.moved:
                print_line(f"{note.path}:{note.line}: {note.message}")
        for problem in item.refused:
            print_aside(f"{problem.path}:{problem.line}: {problem.message}")
    if not results and not_told:
        print_line(f"Nothing was rewritten: of {counted(not_told, 'reference')} no registry could tell.")
    elif not results:
        print_line("Nothing to rewrite.")
