"""`health`: whether the service on this machine is well."""

from typing import Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile
from bot.cli.screen.output import print_aside, print_line


def health(
    ready: Annotated[
        bool, typer.Option("--ready", help="Ask whether it does its work, not only whether it lives.")
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Asks the service on this machine whether it is well.

    It asks where `web.health_listen` says, else `web.listen`. Exit codes: 0 it is well, 1 it is not, or does not
    answer, 2 settings cannot be read.

    Example: freshness-bot health --ready
    """
    import asyncio
    import sys

    from bot.commands.service.health import ask_health
    from bot.domain.clock import SystemClock
    from bot.domain.failure import Failure
    from bot.settings import load

    settings = load(config)
    try:
        print_line(asyncio.run(ask_health(settings, SystemClock(), ready=ready)))
    except Failure as failure:
        print_aside(str(failure))
        sys.exit(1)
