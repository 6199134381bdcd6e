"""`rollout`: what is rolled out, and a person's word on one of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import asked, waited_for
from bot.cli.commands.rollouts.orders import Limit, counted_rebuilds, give_order
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat, Reason, Who, word_of
from bot.cli.screen.output import (
    EveryRow,
    Hyperlink,
    Layout,
    count_rest,
    first_rows,
    print_json,
    print_line,
    print_page,
    print_sentence,
    print_table,
)
from bot.cli.screen.steps import print_steps
from bot.cli.screen.text import held_text, moment
from bot.cli.screen.watching import Watch, watch

if TYPE_CHECKING:
    from bot.views.rollouts.rollout import RolloutProgress

_HIGHEST = 2**62
"""No store counts so far."""


def rollout_number(text: str) -> int:
    """Refuses what no rollout can be called by."""
    if text.isascii() and text.isdecimal() and 0 < int(text[:20]) < _HIGHEST:
        return int(text)
    raise typer.BadParameter(f"{text[:30]!r} is no number of a rollout; `freshness-bot rollout list` shows them")


Number = Annotated[
    int,
    typer.Argument(metavar="ID", help="As `freshness-bot rollout list` shows it.", parser=rollout_number),
]

app = typer.Typer(help="Show rollouts; pause, resume or cancel one.", no_args_is_help=True)


@app.command("list")
def list_rollouts(
    limit: Limit = 20, config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE
) -> None:
    """Shows the latest rollouts, newest first.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot rollout list --limit 5
    """
    from bot.commands.rollouts.rollouts import read_rollouts
    from bot.views.rollouts.rollout import as_json

    rollouts = asked(config, lambda settings, clock: read_rollouts(settings, clock, limit))
    if output is Format.JSON:
        print_json([as_json(each) for each in rollouts])
    elif not rollouts:
        print_line("There is no rollout yet.")
    else:
        from bot.domain.wording.words import counted

        going = sum(each.ended_at is None for each in rollouts)
        print_line(f"The last {counted(len(rollouts), 'rollout')}, {going} under way")
        columns = ("rollout", "opened", "standing", "rebuilds", "what")
        print_table(
            columns,
            [(r.id, moment(r.opened_at), r.standing, _states(r), r.title) for r in rollouts],
            Layout(below=("rebuilds", "what")),
        )


@app.command("show")
def show_rollout(
    number: Number,
    show_all: EveryRow = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
    again: Watch = False,
) -> None:
    """Shows one rollout: its waves, what each waits for, and its rebuilds.

    Of the rebuilds it shows at most eight, those that need somebody first, and counts the rest; --all and --format
    json have every one. With --watch it ends by itself when the rollout has.

    Exit codes: 0 shown, 2 there is no such rollout.

    Example: freshness-bot rollout show 13 --watch
    """
    import asyncio

    from bot.commands.rollouts.rollouts import read_rollout
    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import rollout_path
    from bot.settings import load
    from bot.views.rollouts.rollout import as_json

    settings, clock = load(config), SystemClock()

    def show(progress: "RolloutProgress") -> None:
        if output is Format.JSON:
            print_json(as_json(progress))
        else:
            show_progress(progress, show_all=show_all)

    if again:
        asyncio.run(
            watch(
                lambda: read_rollout(settings, number, clock),
                show,
                ended=lambda progress: progress.ended_at is not None,
            )
        )
    else:
        show(waited_for(read_rollout(settings, number, clock)))
        print_page(settings, rollout_path(number), output)


@app.command("pause")
def pause_rollout(number: Number, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets nothing more of a rollout begin; what is under way is followed.

    Exit codes: 0 it is kept, 2 there is no such rollout, or it has ended.

    Example: freshness-bot rollout pause 13 --reason 'the shop is busy'
    """
    word = word_of(who, reason)
    is_new = give_order(config, lambda orders: orders.pause(number, word))
    print_line(f"Rollout {number} is paused." if is_new else f"Rollout {number} was paused already.")


@app.command("resume")
def resume_rollout(number: Number, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets a paused rollout go on; its failures up to now stop it no more.

    Exit codes: 0 it is kept, 2 there is no such rollout, or it has ended.

    Example: freshness-bot rollout resume 13 --reason 'the tests are mended'
    """
    word = word_of(who, reason)
    was_paused = give_order(config, lambda orders: orders.resume(number, word))
    print_line(f"Rollout {number} goes on." if was_paused else f"Rollout {number} was not paused.")


@app.command("cancel")
def cancel_rollout(
    number: Number,
    reason: Reason,
    keep: Annotated[bool, typer.Option("--keep", help="Leave its open pull requests open.")] = False,
    who: Who = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Ends a rollout; the service closes its open pull requests.

    Exit codes: 0 it is kept, 2 there is no such rollout, or it has ended.

    Example: freshness-bot rollout cancel 13 --reason 'the next one follows'
    """
    word = word_of(who, reason)
    count = give_order(config, lambda orders: orders.cancel(number, word, keep=keep))
    print_line(f"Rollout {number} is cancelled: {counted_rebuilds(count)} called off.")


def show_progress(progress: "RolloutProgress", *, show_all: bool = False) -> None:
    """Writes how a rollout and its waves stand, and a row for each rebuild or for the first."""
    from bot.domain.wording.words import rounded_up
    from bot.views.rollouts.rebuilds import what
    from bot.views.rollouts.rollout import by_need

    print_line(f"Rollout {progress.id}, opened {moment(progress.opened_at)}, {progress.standing}")
    print_sentence(progress.title)
    if progress.pause is not None:
        print_sentence(
            f"Paused by {progress.pause.who} since {moment(progress.pause.since)}: {progress.pause.reason}"
        )
    if progress.opened_by is not None and progress.pause is None:
        print_sentence(f"The last of it will probably begin by {moment(rounded_up(progress.opened_by))}")
    if progress.waves:
        print_table(
            ("wave", "waiting", "held", "under way", "ended", "failed", "began", "done", "waits for"),
            [
                (
                    *(w.label, w.tally.waiting, w.tally.held, w.tally.under_way, w.tally.ended, w.tally.failed),
                    moment(w.tally.began_at) if w.tally.began_at else "",
                    moment(w.tally.done_since) if w.tally.done_since else "",
                    held_text(w.held),
                )
                for w in progress.waves
            ],
            Layout(below=("waits for",)),
        )
    shown_rebuilds = first_rows(by_need(progress.rebuilds), show_all=show_all)
    if shown_rebuilds:
        print_table(
            ("id", "wave", "repository", "what", "state", "why", "waits for"),
            [
                (
                    *(r.id, r.wave, r.repository, Hyperlink(what(r), r.url), r.state, r.reason),
                    held_text(progress.waits.get(r.id)),
                )
                for r in shown_rebuilds
            ],
            Layout(below=("why", "waits for")),
        )
        count_rest(len(progress.rebuilds), show_all=show_all)
    print_steps((rebuild, step) for rebuild in shown_rebuilds for step in progress.steps.get(rebuild.id, ()))


def _states(progress: "RolloutProgress") -> str:
    return ", ".join(f"{count} {state}" for state, count in progress.states.items())
