"""`scan` and `update`: the usages of a local checkout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import Format, OutputFormat
from bot.cli.output import printable

if TYPE_CHECKING:
    from bot.domain.usage import Replacement
    from bot.service.checkout import Progress, Scanned, Updated
    from bot.settings import Settings

OptionalConfig = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="A settings file, for its bases and registries; not needed for MCR."),
]


def register(app: typer.Typer) -> None:
    app.command()(scan)
    app.command()(update)


def scan(
    path: Annotated[Path, typer.Argument(help="A checkout, or one file of it.")] = Path("."),
    offline: Annotated[bool, typer.Option("--offline", help="Ask no registry.")] = False,
    config: OptionalConfig = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Finds every image reference below PATH and says which are stale.

    Exit code 1 where a watched reference is stale, 0 where none is.
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service import checkout

    with _progress("reading") as progress:
        found = asyncio.run(
            checkout.scan(path, _settings(config), SystemClock(), offline=offline, progress=progress)
        )
    if output is Format.JSON:
        from bot.cli.output import print_json

        print_json([_row(item) for item in found.scanned])
    else:
        _show(found.scanned, found.files)
    for problem in found.problems:
        print(printable(f"{problem.path}:{problem.line}: {problem.message}"), file=sys.stderr)
    sys.exit(1 if any(item.freshness is checkout.Freshness.STALE for item in found.scanned) else 0)


def update(
    path: Annotated[Path, typer.Argument(help="A checkout, or one file of it.")] = Path("."),
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="OLD=NEW", help="Whole references: repo:tag@digest=repo:newtag@newdigest."),
    ] = None,
    config: OptionalConfig = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Rewrites references in place; every other byte stays as it is.

    With --set no network is used. Without, stale references take what their registry shows now. Exit code 1 where
    a reference could not be rewritten.
    """
    from bot.service import checkout

    if changes:
        results = checkout.update(path, [_replacement(text) for text in changes])
    else:
        results = _from_registry(path, _settings(config))
    if output is Format.JSON:
        from bot.cli.output import print_json

        print_json(
            [
                {"file": item.path, "edits": item.edits, "refused": [problem.message for problem in item.refused]}
                for item in results
            ]
        )
    else:
        _show_updates(results)
    sys.exit(1 if any(item.refused for item in results) else 0)


def _from_registry(path: Path, settings: "Settings") -> "list[Updated]":
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service import checkout

    with _progress("reading") as progress:
        found = asyncio.run(checkout.scan(path, settings, SystemClock(), offline=False, progress=progress))
    for item in found.scanned:
        if item.base is not None and item.note and item.freshness is checkout.Freshness.UNKNOWN:
            print(printable(f"{item.usage.path}:{item.usage.line}: {item.note}"), file=sys.stderr)
    return checkout.update(path, checkout.replacements_for(found))


def _replacement(text: str) -> "Replacement":
    from bot.domain.failure import Failure, Trouble
    from bot.domain.reference import InvalidReference, Reference
    from bot.domain.usage import Replacement

    old, equals, new = text.partition("=")
    try:
        if not equals:
            raise InvalidReference(f"{text!r} has no '='")
        return Replacement(Reference.parse(old), Reference.parse(new))
    except InvalidReference as error:
        raise Failure(
            Trouble.MALFORMED, str(error), where="--set", advice="write OLD=NEW with whole references"
        ) from error


def _settings(config: Path | None) -> "Settings":
    from bot.settings import Settings, load

    return Settings() if config is None else load(config)


def _row(item: "Scanned") -> dict[str, Any]:
    usage = item.usage
    reference = usage.reference
    return {
        "file": usage.path,
        "kind": usage.kind,
        "line": usage.line,
        "start": usage.span.start if usage.span else None,
        "end": usage.span.end if usage.span else None,
        "reference": str(reference),
        "image": reference.name,
        "registry": reference.registry,
        "repository": reference.repository,
        "tag": reference.tag,
        "digest": reference.digest,
        "role": usage.role,
        "stage": usage.stage,
        "platforms": list(usage.platforms),
        "watched": item.base is not None,
        "assembled": usage.assembled,
        "marker": usage.marker,
        "base": str(item.base) if item.base else None,
        "freshness": item.freshness,
        "becomes": str(item.becomes) if item.becomes else None,
        "note": item.note or usage.fixed_because,
    }


def _show(scanned: "tuple[Scanned, ...]", files: int) -> None:
    from bot.cli.output import print_line, print_table

    references = f"{len(scanned)} {'reference' if len(scanned) == 1 else 'references'}"
    print_line(f"{references} in {files} {'file' if files == 1 else 'files'}")
    if scanned:
        print_table(
            ("file", "line", "reference", "role", "freshness", "becomes"),
            [
                (i.usage.path, i.usage.line, i.usage.reference, i.usage.role, i.freshness, i.becomes or i.note)
                for i in scanned
            ],
        )


def _show_updates(results: "list[Updated]") -> None:
    from bot.cli.output import print_line

    for item in results:
        if item.edits:
            print_line(f"{item.path}: {item.edits} {'place' if item.edits == 1 else 'places'} rewritten")
        for problem in item.refused:
            print(f"{problem.path}:{problem.line}: {problem.message}", file=sys.stderr)
    if not results:
        print_line("Nothing to rewrite.")


@contextmanager
def _progress(what: str) -> "Iterator[Progress]":
    """A bar on standard error once the work takes more than a moment; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    bar = Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
