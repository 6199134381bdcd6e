"""What `init` does at its end: it has the new settings checked, as far as that can be done here, and says what is
next."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.domain.ways import Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import Settings
    from bot.settings.starting import Answers
    from bot.views.doctor import HealthCheck

_NOT_YET = "feeds"
"""The area of which nothing can be known before the first pass."""


def try_out(file: Path, answers: "Answers") -> None:
    """Runs `config check` and `doctor` on a file that was just written, and names the next command.

    What is missing here, a secret, a folder or a network, is one line and no fault. Ends with 1 where somebody who
    was asked has found something wrong.
    """
    from bot.cli.screen.output import print_line
    from bot.domain.failure import Failure
    from bot.settings import BadSettings, load
    from bot.views.doctor import Health

    if missing := _missing(answers):
        _say_not_tried(
            f"{', '.join(map(str, missing))} {'is' if len(missing) == 1 else 'are'} not here", file, answers
        )
        return
    try:
        checks = _checks(load(file), file)
    except BadSettings as bad:
        for line in bad.lines:
            print_line(line)
        raise typer.Exit(1) from bad
    except Failure as failure:
        _say_not_tried(str(failure), file, answers)
        return
    if (reason := _out_of_reach(checks)) is not None:
        _say_not_tried(reason, file, answers)
        return
    _show(checks)
    _say_next(answers, f"once --dry-run -c {file}")
    if any(check.verdict is Health.WRONG for check in checks if check.area != _NOT_YET):
        raise typer.Exit(1)


def _missing(answers: "Answers") -> list[Path]:
    """What a person has still to put where it belongs, or is elsewhere than here."""
    folders = [answers.folder] if answers.folder is not None else []
    return [
        *(path for path in answers.secret_files if not path.exists()),
        *(folder for folder in folders if not folder.is_dir()),
    ]


def _checks(settings: "Settings", file: Path) -> "Sequence[HealthCheck]":
    """What `doctor` finds, once `config check` has nothing against it."""
    import asyncio

    from bot.cli.commands.files.config import show_remarks
    from bot.cli.screen.progress import progress_of
    from bot.commands.service.doctor import examine
    from bot.domain.clock import SystemClock
    from bot.settings import check_secrets

    check_secrets(settings, file)
    show_remarks(settings, file)
    with progress_of("asking everybody"):
        return asyncio.run(examine(settings, SystemClock()))


def _out_of_reach(checks: "Sequence[HealthCheck]") -> str | None:
    """Why GitHub, without whom nothing else counts, could not be asked; None where it was."""
    from bot.views.doctor import Health

    return next(
        (each.found for each in checks if each.area == "GitHub" and each.verdict is Health.UNKNOWN),
        None,
    )


def _show(checks: "Sequence[HealthCheck]") -> None:
    from bot.cli.commands.service.doctor import show_checks

    show_checks([check for check in checks if check.area != _NOT_YET], everything=False)


def _say_not_tried(reason: str, file: Path, answers: "Answers") -> None:
    from bot.cli.screen.output import print_sentence

    print_sentence(f"Not tried yet: {reason}")
    _say_next(answers, f"doctor -c {file}")


def _say_next(answers: "Answers", command: str) -> None:
    """The one command that is next; in a cluster it is Kubernetes that runs the others."""
    from bot.cli.screen.output import print_line

    if answers.way is Way.CLUSTER:
        print_line(f"Next: kubectl apply -k {answers.overlay}")
    else:
        print_line(f"Next: freshness-bot {command}")
