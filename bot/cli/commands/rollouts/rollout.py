"""`rollout`, `retry`, `skip`, `hold`, `pause`, `resume`, `quarantine`, `journal`: a person has a word."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.output import Layout, Link, print_json, print_line, print_sentence, print_table
from bot.cli.pages import print_page
from bot.cli.steps import print_steps
from bot.cli.text import held_text, moment
from bot.cli.watching import Watch, watch
from bot.cli.words import Reason, Who, word_of

if TYPE_CHECKING:
    from bot.domain.rollouts.journal import Entry
    from bot.store.orders.orders import OrdersStore
    from bot.views.rollouts.rollout import QuarantineStatus, RolloutProgress

T = TypeVar("T")

Number = Annotated[int, typer.Argument(metavar="ID", help="As `freshness-bot rollout list` shows it.")]
Named = Annotated[str, typer.Argument(metavar="REPOSITORY|ID", help="owner/name, or the id of one rebuild.")]
NamedBase = Annotated[str, typer.Argument(metavar="BASE", help="Such as aspnet:10.0, as `status` shows it.")]
All = Annotated[bool, typer.Option("--all", help="Every rollout, and those to come.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="So many at most, the newest first.")]

app = typer.Typer(help="Show rollouts; pause, resume or cancel one.", no_args_is_help=True)
quarantine = typer.Typer(help="Have nothing built on a bad base.", no_args_is_help=True)


@app.command("list")
def list_rollouts(
    limit: Limit = 20, config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE
) -> None:
    """Shows the latest rollouts, newest first."""
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.commands.look.views import read_rollouts
    from bot.settings import load
    from bot.views.rollouts.rollout import as_json

    found = asyncio.run(read_rollouts(load(config), SystemClock(), limit))
    if output is Format.JSON:
        print_json([as_json(each) for each in found])
    elif not found:
        print_line("There is no rollout yet.")
    else:
        columns = ("rollout", "opened", "standing", "rebuilds", "what")
        print_table(
            columns,
            [(r.id, moment(r.opened_at), r.standing, _states(r), r.title) for r in found],
            Layout(below=("what",)),
        )


@app.command("show")
def show_rollout(
    number: Number,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
    again: Watch = False,
) -> None:
    """Shows one rollout: its waves, what each waits for, and its rebuilds.

    With --watch it ends by itself when the rollout has.
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import rollout_path
    from bot.service.commands.look.views import read_rollout
    from bot.settings import load
    from bot.views.rollouts.rollout import as_json

    settings, clock = load(config), SystemClock()

    def show(found: "RolloutProgress") -> None:
        if output is Format.JSON:
            print_json(as_json(found))
        else:
            _show(found)

    if again:
        asyncio.run(
            watch(
                lambda: read_rollout(settings, number, clock), show, ended=lambda found: found.ended_at is not None
            )
        )
    else:
        show(asyncio.run(read_rollout(settings, number, clock)))
        print_page(settings, rollout_path(number), output)


@app.command("pause")
def pause_rollout(number: Number, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets nothing more of a rollout begin; what is under way is followed."""
    word = word_of(who, reason)
    is_new = _ordered(config, lambda orders: orders.pause(number, word))
    print_line(f"Rollout {number} is paused." if is_new else f"Rollout {number} was paused already.")


@app.command("resume")
def resume_rollout(number: Number, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets a paused rollout go on; its failures up to now stop it no more."""
    word = word_of(who, reason)
    was_paused = _ordered(config, lambda orders: orders.resume(number, word))
    print_line(f"Rollout {number} goes on." if was_paused else f"Rollout {number} was not paused.")


@app.command("cancel")
def cancel_rollout(
    number: Number,
    reason: Reason,
    keep: Annotated[bool, typer.Option("--keep", help="Leave its open pull requests open.")] = False,
    who: Who = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Ends a rollout; the service closes its open pull requests."""
    word = word_of(who, reason)
    count = _ordered(config, lambda orders: orders.cancel(number, word, keep=keep))
    print_line(f"Rollout {number} is cancelled: {_counted(count)} called off.")


def retry(named: Named, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Tries again what failed last, and lets begin what waits.

    It waits for no wave and for no pause of its rollout, only for a pause of everything or a quarantine.
    """
    word = word_of(who, reason)
    count = _ordered(config, lambda orders: orders.retry(named, word))
    print_line(f"{named}: {_counted(count)} due now.")


def skip(named: Named, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Ends what has not ended; an open pull request is closed."""
    word = word_of(who, reason)
    count = _ordered(config, lambda orders: orders.skip(named, word))
    print_line(f"{named}: {_counted(count)} called off.")


def hold(named: Named, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Keeps what has not begun from beginning, until `retry`."""
    word = word_of(who, reason)
    count = _ordered(config, lambda orders: orders.hold(named, word))
    print_line(f"{named}: {_counted(count)} held.")


def pause(reason: Reason, everything: All = False, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets the bot begin nothing at all; for one rollout see `rollout pause`."""
    _only_all(everything, "pause")
    word = word_of(who, reason)
    is_new = _ordered(config, lambda orders: orders.pause(None, word))
    print_line("Everything is paused." if is_new else "Everything was paused already.")


def resume(reason: Reason, everything: All = False, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Ends the pause of everything; rollouts that are paused alone stay so."""
    _only_all(everything, "resume")
    word = word_of(who, reason)
    was_paused = _ordered(config, lambda orders: orders.resume(None, word))
    print_line("The bot goes on." if was_paused else "Not everything was paused.")


@quarantine.command("add")
def quarantine_add(base: NamedBase, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Has no build started on what a base shows now, nor on mirrors' copies of it, until they show something else.

    BASE may be told with its digest; where it shows another one by now, nothing is quarantined.
    """
    word = word_of(who, reason)
    digest = _ordered(config, lambda orders: orders.quarantine(base, word))
    print_line(f"{base.partition('@')[0]} is quarantined while it shows {digest}.")


@quarantine.command("lift")
def quarantine_lift(base: NamedBase, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets a base be built upon again."""
    word = word_of(who, reason)
    count = _ordered(config, lambda orders: orders.lift(base, word))
    print_line(f"{base} may be built upon again." if count else f"{base} was not quarantined.")


@quarantine.command("list")
def quarantine_list(config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE) -> None:
    """Shows on which digests nothing is built."""
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.commands.rollouts.orders import read_quarantines
    from bot.settings import load
    from bot.views.names import short_base, short_digest
    from bot.views.rollouts.rollout import quarantine_as_json

    found: Sequence[QuarantineStatus] = asyncio.run(read_quarantines(load(config), SystemClock()))
    if output is Format.JSON:
        print_json([quarantine_as_json(each) for each in found])
    elif not found:
        print_line("No base is quarantined.")
    else:
        print_table(
            ("base", "digest", "since", "by", "held back", "why"),
            [
                (short_base(q.base), short_digest(q.digest), moment(q.since), q.who, q.waiting, q.reason)
                for q in found
            ],
            Layout(below=("why",)),
        )


def journal(limit: Limit = 50, config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE) -> None:
    """Shows what people told the bot to do, who and why."""
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.commands.rollouts.orders import read_journal
    from bot.settings import load
    from bot.views.rollouts.rollout import entry_as_json

    found: Sequence[Entry] = asyncio.run(read_journal(load(config), SystemClock(), limit))
    if output is Format.JSON:
        print_json([entry_as_json(entry) for entry in found])
    elif not found:
        print_line("Nobody has told the bot anything yet.")
    else:
        print_table(
            ("at", "who", "what", "about", "why"),
            [
                (
                    moment(e.at),
                    e.word.who + (" (claimed)" if e.word.is_claimed else ""),
                    e.what,
                    e.subject,
                    e.word.reason,
                )
                for e in found
            ],
            Layout(below=("why",)),
        )


def _show(found: "RolloutProgress") -> None:
    from bot.domain.wording.words import rounded_up
    from bot.views.rollouts.rebuilds import what

    print_line(f"Rollout {found.id}, opened {moment(found.opened_at)}, {found.standing}")
    print_sentence(found.title)
    if found.pause is not None:
        print_sentence(f"Paused by {found.pause.who} since {moment(found.pause.since)}: {found.pause.reason}")
    if found.opened_by is not None and found.pause is None:
        print_sentence(f"The last of it will probably begin by {moment(rounded_up(found.opened_by))}")
    if found.waves:
        print_table(
            ("wave", "waiting", "under way", "ended", "failed", "began", "done", "waits for"),
            [
                (
                    *(w.label, w.tally.waiting, w.tally.under_way, w.tally.ended, w.tally.failed),
                    moment(w.tally.began_at) if w.tally.began_at else "",
                    moment(w.tally.done_since) if w.tally.done_since else "",
                    held_text(w.held),
                )
                for w in found.waves
            ],
            Layout(below=("waits for",)),
        )
    if found.rebuilds:
        print_table(
            ("id", "wave", "repository", "what", "state", "why", "waits for"),
            [
                (
                    *(r.id, r.wave, r.repository, Link(what(r), r.url), r.state, r.reason),
                    held_text(found.waits.get(r.id)),
                )
                for r in found.rebuilds
            ],
            Layout(below=("why", "waits for")),
        )
    print_steps((rebuild, step) for rebuild in found.rebuilds for step in found.steps.get(rebuild.id, ()))


def _states(found: "RolloutProgress") -> str:
    return ", ".join(f"{count} {state}" for state, count in found.states.items())


def _counted(count: int) -> str:
    from bot.domain.wording.words import counted

    return counted(count, "rebuild")


def _only_all(everything: bool, what: str) -> None:
    from bot.domain.failure import Failure, Trouble

    if not everything:
        advice = f"write `{what} --all`, or `rollout {what} ID` for one rollout"
        raise Failure(Trouble.MALFORMED, f"{what} what", advice=advice)


def _ordered(config: Path, given: "Callable[[OrdersStore], Awaitable[T]]") -> T:
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.commands.rollouts.orders import order
    from bot.settings import load

    async def work() -> T:
        return await order(load(config), SystemClock(), given)

    return asyncio.run(work())
