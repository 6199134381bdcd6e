"""`policy test`: what the rules make of one change, and which of them said so."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.reference import Base
    from bot.views.rollouts.terms import TermsAnswer

app = typer.Typer(help="Try the policy out.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `test` a command of its own while it is the only one."""


def _severity(word: str) -> Severity:
    """Reads a severity as it is told, or as the settings write it."""
    severity = Severity.named(word)
    if severity is None:
        raise typer.BadParameter(f"{word!r} is none of {', '.join(each.told for each in Severity)}")
    return severity


@app.command("test")
def try_out(
    repository: Annotated[str, typer.Option("--repository", "-r", help="owner/name")],
    base: Annotated[str, typer.Option("--base", "-b", help="A base such as aspnet:10.0, or by its whole name.")],
    cause: Annotated[
        Cause, typer.Option("--cause", metavar="CAUSE", help="Why the base moved, such as os-update.")
    ] = Cause.DOTNET_SECURITY,
    severity: Annotated[
        Severity | None,
        typer.Option(
            "--severity",
            metavar="LOW|MEDIUM|HIGH|CRITICAL",
            parser=_severity,
            help="The worst CVE that the change fixes, if any is rated.",
        ),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows which rule gives which term for a change.

    Nothing is asked but the settings file. Exit code 0; 2 where file or options are wrong.

    Example: freshness-bot policy test -r contoso/shop -b aspnet:10.0
    """
    from bot.domain.clock import SystemClock
    from bot.settings import load
    from bot.views.rollouts.terms import TermsQuestion, answer

    settings = load(config)
    question = TermsQuestion(repository, _base(base, settings.bases), cause, severity)
    show_answer(answer(settings.rules, question, SystemClock().now()), output)


def show_answer(answer: "TermsAnswer", output: Format) -> None:
    """Writes a row for each term."""
    from bot.cli.screen.output import Layout, print_json, print_sentence, print_table
    from bot.cli.screen.text import moment
    from bot.views.rollouts.terms import as_json, term_in_words

    if output is Format.JSON:
        print_json(as_json(answer))
        return
    question = answer.question
    rated = f", {question.severity.told}" if question.severity else ""
    rules = ", ".join(f"policy.{place}" for place in answer.matching) or "none"
    print_sentence(
        f"{question.base} for {question.repository} ({question.cause}{rated}); rules that match: {rules}"
    )
    rows = [(term.name, term_in_words(term), term.why) for term in answer.terms]
    print_table(("term", "value", "given by"), rows, Layout(below=("given by",)))
    if answer.freeze:
        print_sentence(f"Nothing begins now: frozen until {moment(answer.freeze.until)}: {answer.freeze.reason}")


def _base(text: str, watched: "Sequence[str]") -> "Base":
    """The base as written, or as every other command shows it: without Microsoft's registry and folder."""
    from fnmatch import fnmatchcase

    from bot.domain.failure import Failure, Trouble
    from bot.domain.reference import DEFAULT_REGISTRY, InvalidReference, Reference
    from bot.views.names import USUAL

    try:
        reference = Reference.parse(text)
    except InvalidReference as error:
        raise Failure(Trouble.MALFORMED, str(error), advice="write a base with its tag") from error
    base = reference.base
    usual = Reference.parse(f"{USUAL}{text}").base if base.registry == DEFAULT_REGISTRY else base
    is_meant = any(fnmatchcase(usual.name, glob) for glob in watched)
    return usual if is_meant and not any(fnmatchcase(base.name, glob) for glob in watched) else base
