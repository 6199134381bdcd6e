"""The commands in their groups, as `--help` lists them; a new one is a line here."""

from collections import UserDict
from collections.abc import Callable, Iterable, Mapping
from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from bot.cli.usage import told_in_one_line


class ListedCommands(TyperGroup):
    """A group whose help cuts no line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the section of the help page."""
        write_commands(formatter, "Commands", [(name, self.commands[name]) for name in self.list_commands(ctx)])


def write_commands(formatter: Any, title: str, commands: Iterable[tuple[str, Any]]) -> None:
    """Writes a section with a row for each command."""
    with formatter.section(title):
        formatter.write_dl([(name, _line(command)) for name, command in commands])


def _line(command: Any) -> str:
    text = (command.help or "").strip().partition("\n\n")[0]
    return " ".join(text.split()).removesuffix(".")


OF_A_WEEK: Mapping[str, tuple[str, ...]] = {
    "How to begin": ("init", "doctor", "run"),
    "How the fleet stands": ("status", "explain", "cve"),
    "What files say": ("scan", "update", "audit"),
    "How to move things along": ("retry", "hold", "rollout"),
}
"""What a week needs, by the question that each answers."""
_EVERY = "every"

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Look": {
        "status": "look.status:status",
        "plan": "look.plan:plan",
        "explain": "look.explain:explain",
        "history": "look.history:history",
        "summary": "look.summary:summary",
        "tour": "look.tour:tour",
        "promises": "look.promises:promises",
        "images": "images.images:images",
        "image": "images.images:image",
        "tree": "images.images:tree",
        "cve": "images.cve:cve",
        "exposed": "images.exposed:exposed",
        "exposure": "images.exposure:exposure",
    },
    "Roll out": {
        "rollout": "rollouts.rollout:app",
        "catch-up": "rollouts.catch_up:catch_up",
        "onboard": "rollouts.onboard:onboard",
        "retry": "rollouts.orders:retry",
        "skip": "rollouts.orders:skip",
        "hold": "rollouts.orders:hold",
        "pause": "rollouts.orders:pause",
        "resume": "rollouts.orders:resume",
        "quarantine": "rollouts.quarantine:app",
        "journal": "rollouts.journal:journal",
    },
    "Check files and images": {
        "scan": "files.checkout:scan",
        "update": "files.checkout:update",
        "config": "files.config:app",
        "policy": "files.policy:app",
        "audit": "files.audit:audit",
        "verify": "images.verify:verify",
        "packages": "images.packages:app",
        "sbom": "images.sbom:app",
        "gate": "images.gate:gate",
        "reports": "images.reports:app",
    },
    "Run": {
        "run": "service.service:run",
        "once": "service.service:once",
        "action": "service.action:action",
        "init": "service.init:init",
        "health": "service.health:health",
        "doctor": "service.doctor:doctor",
        "retire": "service.leaving:retire",
        "running": "service.running:app",
        "feeds": "service.feeds:app",
    },
    "Replay": {
        "backtest": "past:backtest",
        "export": "past:export_log",
        "import": "past:import_log",
    },
}
"""The commands by group and name, each as `module:name` in `bot.cli.commands`; a group of commands has an `app`."""


def read_command(place: str) -> Callable[..., None] | typer.Typer:
    """Imports the function behind a command, or the group of commands."""
    command: Callable[..., None] | typer.Typer = resolve_name(f"bot.cli.commands.{place}")
    return command


class _Commands(UserDict[str, Any]):
    """The commands by name; each is read from its module when it is asked for, and waits for no other's."""

    def __init__(self) -> None:
        super().__init__()
        self.data = {name: (group, place) for group, commands in GROUPS.items() for name, place in commands.items()}

    def __getitem__(self, name: str) -> Any:
        if isinstance(self.data[name], tuple):
            self.data[name] = _command(name, *self.data[name])
        return self.data[name]


def _command(name: str, group: str, place: str) -> Any:
    command, alone = read_command(place), typer.Typer(rich_markup_mode=None)
    if isinstance(command, typer.Typer):
        alone.add_typer(command, name=name, rich_help_panel=group, cls=ListedCommands)
    else:
        alone.command(name, rich_help_panel=group)(command)
    return get_group(alone).commands[name]


class GroupedCommands(TyperGroup):
    """Lists the commands that a week needs, or all by group, each with its whole first line."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        """Those that are groups of commands come last."""
        return sorted(self.commands, key=lambda name: isinstance(self.commands[name], TyperGroup))

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; a command line that it does not take ends in one line."""
        with told_in_one_line():
            return super().invoke(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Notes whether the help of every command is asked for: `--help all`."""
        ctx.meta[_EVERY] = args == ["--help", "all"]
        with told_in_one_line():
            return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the sections of the help page: what a week needs, or every command by its group."""
        if ctx.meta.get(_EVERY):
            self._write_every(ctx, formatter)
            return
        for question, names in OF_A_WEEK.items():
            write_commands(formatter, question, [(name, self.commands[name]) for name in names])
        formatter.write_paragraph()
        formatter.write_text(f"`freshness-bot --help all` lists all {len(self.commands)} commands.")

    def _write_every(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, Any]]] = {}
        for name in self.list_commands(ctx):
            command = self.commands[name]
            sections.setdefault(getattr(command, "rich_help_panel", ""), []).append((name, command))
        for title, commands in sections.items():
            write_commands(formatter, title, commands)
