"""`init --beside`: Renovate or Dependabot are told to leave .NET's base images, in the checkout at hand."""

from pathlib import Path

import typer


def hand_over(other: str) -> None:
    """Writes the lines into the settings of the bot of that name, and shows them where a person has to do it.

    Ends with 1 where a person has to, among others where there are no settings here.
    """
    from bot.cli.screen.output import print_line, print_sentence
    from bot.files.audit.onboarding.handing_over import LINES, PLACES, handed_over, is_set_up
    from bot.files.formats.update_bots import PATHS

    files = {path: _read(Path(path)) for path in PATHS if Path(path).is_file()}
    left_alone = [] if is_set_up(files, other) else [f"There are no settings of {other}'s here."]
    outcomes = handed_over(files, other)
    for outcome in outcomes:
        if outcome.content is None:
            left_alone.append(f"{outcome.path} is left as it is: {outcome.left_alone}.")
        else:
            _write(Path(outcome.path), outcome.content)
            print_sentence(f"{outcome.path} has {other} leave .NET's base images now. Next: commit it")
    for sentence in left_alone:
        print_sentence(sentence)
    if left_alone:
        print_sentence(f"Write this into {PLACES[other]}:")
        for line in LINES[other].splitlines():
            print_line(f"  {line}")
        raise typer.Exit(1)
    if not outcomes:
        print_sentence(f"{other} leaves .NET's base images already.")


def _read(file: Path) -> bytes:
    from bot.domain.failure import Failure, Trouble

    try:
        return file.read_bytes()
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be read: {error.strerror}", where=str(file)) from error


def _write(file: Path, content: bytes) -> None:
    from bot.domain.failure import Failure, Trouble

    try:
        file.write_bytes(content)
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be written: {error.strerror}", where=str(file)) from error
