"""How a person's word reaches the store, and what the commands of rollouts share."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli.asking import asked

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
