"""The commands in their groups, as `--help` lists them; a new one is a line here."""

from collections.abc import Callable, Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from bot.cli.commands import past
from bot.cli.commands.files import audit, checkout, config, policy
from bot.cli.commands.images import cve, gate, images, packages, reports, sbom, verify
from bot.cli.commands.look import explain, history, plan, promises, status, summary
from bot.cli.commands.rollouts import catch_up, journal, onboard, orders, quarantine, rollout
from bot.cli.commands.service import doctor, feeds, health, init, leaving, service
from bot.cli.listing import write_commands

FIRST = ("scan", "update", "init", "once", "run")
"""What somebody new needs, in this order."""

GROUPS: Mapping[str, Mapping[str, Callable[..., None] | typer.Typer]] = {
    "Look": {
        "status": status.status,
        "plan": plan.plan,
        "explain": explain.explain,
        "history": history.history,
        "summary": summary.summary,
        "promises": promises.promises,
        "images": images.images,
        "image": images.image,
        "tree": images.tree,
        "cve": cve.cve,
    },
    "Roll out": {
        "rollout": rollout.app,
        "catch-up": catch_up.catch_up,
        "onboard": onboard.onboard,
        "retry": orders.retry,
        "skip": orders.skip,
        "hold": orders.hold,
        "pause": orders.pause,
        "resume": orders.resume,
        "quarantine": quarantine.app,
        "journal": journal.journal,
    },
    "Check files and images": {
        "scan": checkout.scan,
        "update": checkout.update,
        "config": config.app,
        "policy": policy.app,
        "audit": audit.audit,
        "verify": verify.verify,
        "packages": packages.app,
        "sbom": sbom.app,
        "gate": gate.gate,
        "reports": reports.app,
    },
    "Run": {
        "run": service.run,
        "once": service.once,
        "init": init.init,
        "health": health.health,
        "doctor": doctor.doctor,
        "retire": leaving.retire,
        "feeds": feeds.app,
    },
    "Replay": {
        "backtest": past.backtest,
        "export": past.export_log,
        "import": past.import_log,
    },
}


class GroupedCommands(TyperGroup):
    """Lists the commands by group, the first ones first, each with its whole first line."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; a value that an option does not take ends in one line."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            if error.message:  # of a parameter that is missing there is none, and its usage tells more
                error.message, error.ctx = error.message.removeprefix("Value error, "), None
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the sections of the help page."""
        by_name = {name: self.commands[name] for name in self.list_commands(ctx)}
        sections: dict[str, list[tuple[str, Any]]] = {"First steps": [(name, by_name[name]) for name in FIRST]}
        for name, command in by_name.items():
            if name not in FIRST:
                sections.setdefault(getattr(command, "rich_help_panel", ""), []).append((name, command))
        for title, commands in sections.items():
            write_commands(formatter, title, commands)
