"""`retry`, `skip`, `hold`, `pause`, `resume`: a person has a word on repositories, or on everything.

Also how such a word reaches the store, and what the commands of rollouts share.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli.asking import asked
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Reason, Who, word_of
from bot.cli.screen.output import print_line

if TYPE_CHECKING:
    from bot.store.orders.orders import OrdersStore

T = TypeVar("T")

Limit = Annotated[
    int, typer.Option("--limit", metavar="NUMBER", min=1, max=1000, help="So many at most, the newest first.")
]


def counted_rebuilds(count: int) -> str:
    """Words how many rebuilds an order was about."""
    from bot.domain.wording.words import counted

    return counted(count, "rebuild")


def give_order(config: Path, action: "Callable[[OrdersStore], Awaitable[T]]") -> T:
    """Gives one order to the store, and returns what it says. Raises `Failure` where it makes no sense."""
    from bot.commands.rollouts.rollouts import order

    return asked(config, lambda settings, clock: order(settings, clock, action))


Named = Annotated[
    str,
    typer.Argument(
        metavar="REPOSITORY|ID", help="owner/name, or the id of one rebuild, as `rollout show` lists it."
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every rollout, and those to come.")]


def retry(target: Named, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Tries again what failed last in a repository, and lets begin what waits there.

    It waits for no wave and for no pause of its rollout, only for a pause of everything or a quarantine.

    Exit codes: 0 it is kept, 2 no such repository or rebuild, or it makes no sense now.

    Example: freshness-bot retry contoso/shop --reason 'the runner is back'
    """
    word = word_of(who, reason)
    count = give_order(config, lambda orders: orders.retry(target, word))
    print_line(f"{target}: {counted_rebuilds(count)} due now.")


def skip(target: Named, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Ends the rebuilds of a repository that have not ended; an open pull request is closed.

    Exit codes: 0 it is kept, also where there is none; 2 no such repository or rebuild.

    Example: freshness-bot skip contoso/shop --reason 'it is shut down on Monday'
    """
    word = word_of(who, reason)
    count = give_order(config, lambda orders: orders.skip(target, word))
    print_line(f"{target}: {counted_rebuilds(count)} called off.")


def hold(target: Named, reason: Reason, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Keeps rebuilds of a repository that have not begun from beginning, until `retry`.

    Exit codes: 0 it is kept, also where there is none; 2 no such repository or rebuild.

    Example: freshness-bot hold contoso/shop --reason 'stock-taking'
    """
    word = word_of(who, reason)
    count = give_order(config, lambda orders: orders.hold(target, word))
    print_line(f"{target}: {counted_rebuilds(count)} held.")


def pause(reason: Reason, everything: All = False, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Lets the bot begin nothing at all; for one rollout see `rollout pause`.

    Exit codes: 0 it is kept, 2 settings or store cannot be read.

    Example: freshness-bot pause --all --reason 'the runners are down'
    """
    _only_all(everything, "pause")
    word = word_of(who, reason)
    is_new = give_order(config, lambda orders: orders.pause(None, word))
    print_line("Everything is paused." if is_new else "Everything was paused already.")


def resume(reason: Reason, everything: All = False, who: Who = None, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Ends the pause of everything; rollouts that are paused alone stay so.

    After a store was lost, the holds and quarantines that the fleet's issue tells of are put back.

    Exit codes: 0 it is kept, 2 settings or store cannot be read, or what was held cannot be put back yet.

    Example: freshness-bot resume --all --reason 'the runners are back'
    """
    _only_all(everything, "resume")
    word = word_of(who, reason)
    was_paused = give_order(config, lambda orders: orders.resume(None, word))
    print_line("The bot goes on." if was_paused else "Not everything was paused.")


def _only_all(everything: bool, command: str) -> None:
    from bot.domain.failure import Failure, Trouble

    if not everything:
        advice = f"write `{command} --all`, or `rollout {command} ID` for one rollout"
        raise Failure(Trouble.MALFORMED, f"{command} what", advice=advice)
