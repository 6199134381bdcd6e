"""`quarantine`: nothing is built on a bad base."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import asked
from bot.cli.commands.rollouts.orders import give_order
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat, Reason, Who, word_of
from bot.cli.screen.output import Layout, print_json, print_line, print_table
from bot.cli.screen.text import moment

if TYPE_CHECKING:
    from bot.views.rollouts.rollout import QuarantineStatus

NamedBase = Annotated[str, typer.Argument(metavar="BASE", help="Such as aspnet:10.0, as `status` shows it.")]

app = typer.Typer(help="Have nothing built on a bad base.", no_args_is_help=True)


@app.command("add")
def quarantine_add(base: NamedBase, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Has no build started on what a base shows now, nor on mirrors' copies, until nothing shows or carries it.

    BASE may be told with its digest; where it shows another one by now, nothing is quarantined.

    Exit codes: 0 it is kept, 2 no such base is known.

    Example: freshness-bot quarantine add aspnet:10.0-noble --reason 'it crashes'
    """
    word = word_of(who, reason)
    digest = give_order(config, lambda orders: orders.quarantine(base, word))
    print_line(f"{base.partition('@')[0]} is quarantined while it shows {digest}.")


@app.command("lift")
def quarantine_lift(base: NamedBase, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets a base be built upon again.

    Exit codes: 0 it is kept, 2 no such base is known.

    Example: freshness-bot quarantine lift aspnet:10.0-noble --reason 'mended'
    """
    word = word_of(who, reason)
    count = give_order(config, lambda orders: orders.lift(base, word))
    print_line(f"{base} may be built upon again." if count else f"{base} was not quarantined.")


@app.command("list")
def quarantine_list(config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE) -> None:
    """Shows on which digests nothing is built.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot quarantine list
    """
    from bot.commands.rollouts.rollouts import read_quarantines
    from bot.domain.wording.words import counted
    from bot.views.names import short_base, short_digest
    from bot.views.rollouts.rollout import quarantine_as_json

    quarantines: Sequence[QuarantineStatus] = asked(config, read_quarantines)
    if output is Format.JSON:
        print_json([quarantine_as_json(each) for each in quarantines])
    elif not quarantines:
        print_line("No base is quarantined.")
    else:
        bases, held = counted(len(quarantines), "digest"), sum(each.waiting for each in quarantines)
        print_line(f"Nothing is built on {bases}; {counted(held, 'rebuild')} held back")
        print_table(
            ("base", "digest", "since", "by", "held back", "why"),
            [
                (short_base(q.base), short_digest(q.digest), moment(q.since), q.who, q.waiting, q.why)
                for q in quarantines
            ],
            Layout(below=("why",)),
        )
