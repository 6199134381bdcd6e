"""How `--help` lists the commands of a group: each with its whole first line, however long."""

from collections.abc import Iterable
from typing import Any

from typer.core import TyperGroup


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
