"""`tour`: five minutes through a fleet, one question after another, each with the command that answers it."""

from collections.abc import Iterator
from shlex import quote, split

import typer

from bot.cli.asking import asked
from bot.cli.options import DEFAULT_CONFIG, ConfigFile

END = (
    "That is the tour, and nothing was changed by it. To end the demo, press Ctrl-C where it runs: what it made is "
    "gone then. `freshness-bot --help` has what a week needs."
)


def tour(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Leads through the fleet, one question after another.

    Each question stands with its command, which runs when you press Enter; q ends it. Nothing is changed. Without a
    fleet of your own, `make demo KEEP=1` leaves one up and says where its settings are.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot tour
    """
    from bot.cli.screen.output import print_line, print_sentence
    from bot.commands.look.status import read_status

    status = asked(config, read_status)
    repository = next((each.repository for each in (*status.ahead, *status.rebuilds)), None)
    stops = tuple(_stops(repository))
    for number, (question, words) in enumerate(stops, start=1):
        print_line("")
        print_sentence(f"{number} of {len(stops)}: {question}")
        print_line(f"$ freshness-bot {words}")
        if not _goes_on():
            break
        _run([*split(words), "-c", str(config)])
    print_line("")
    print_sentence(END)


def _stops(repository: str | None) -> Iterator[tuple[str, str]]:
    """The questions, each with the command that answers it; `repository` is one that something goes on in."""
    yield "How do things stand, and what needs somebody?", "status"
    yield "What comes next, when, and why?", "plan"
    if repository is not None:
        yield f"What happened to {repository}, and what does it wait for?", f"explain {quote(repository)}"
    yield "Which images does the fleet build, and what does each stand on?", "images"
    yield "Which CVEs are still in images, and where is each fix stuck?", "cve"
    yield "What is rolled out?", "rollout list"
    yield "What would the rules have done in the past?", "backtest"
    yield "How would the bot be taken out again?", "retire --dry-run"


def _goes_on() -> bool:
    """Waits for whoever reads; where nobody can answer all goes on by itself."""
    import sys

    if sys.stdin is None or not sys.stdin.isatty():
        return True
    answer: str = typer.prompt("Enter: see it, q: end", default="", show_default=False)
    return not answer.strip().lower().startswith("q")


def _run(words: list[str]) -> None:
    """Runs a command as if it were called alone; what it cannot do is a line, and the tour goes on."""
    from bot.cli.main import app
    from bot.cli.screen.output import print_line
    from bot.domain.failure import Failure
    from bot.settings import BadSettings

    try:
        app(words, standalone_mode=False)
    except Failure as failure:
        print_line(str(failure))
    except BadSettings as bad:
        for line in bad.lines:
            print_line(line)
