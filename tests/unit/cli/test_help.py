"""Every command's help says what it is for, how it ends and how it is called."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from bot.cli.groups import OF_A_WEEK
from bot.cli.main import app

WIDTH = 80


def every_command(group: TyperGroup, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*before, name), command
        if isinstance(command, TyperGroup):
            yield from every_command(command, (*before, name))


def root() -> TyperGroup:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


EVERY = dict(every_command(root()))
COMMANDS = {names: command for names, command in EVERY.items() if not isinstance(command, TyperGroup)}
OF_EACH = pytest.mark.parametrize("names", COMMANDS, ids=" ".join)


def paragraphs(names: tuple[str, ...]) -> list[str]:
    return [" ".join(each.split()) for each in (COMMANDS[names].help or "").split("\n\n")]


@OF_EACH
def test_the_first_line_is_a_sentence_of_its_own(names: tuple[str, ...]) -> None:
    first = paragraphs(names)[0]
    assert re.fullmatch(r"[A-Z].*[^.]\.", first), first


@OF_EACH
def test_it_says_which_exit_codes_there_are(names: tuple[str, ...]) -> None:
    assert any(re.search(r"Exit codes?:? 0\b", each) for each in paragraphs(names))


@OF_EACH
def test_it_ends_with_an_example_on_one_line_that_can_be_called(names: tuple[str, ...]) -> None:
    last = paragraphs(names)[-1]
    before, _, words = last.partition(f"Example: freshness-bot {' '.join(names)}")
    assert before == ""
    assert len(last) <= WIDTH - 2
    COMMANDS[names].make_context(names[-1], shlex.split(words))


@OF_EACH
def test_each_argument_and_option_is_explained(names: tuple[str, ...]) -> None:
    assert [each.name for each in COMMANDS[names].params if not each.help] == []


@pytest.mark.parametrize("names", [(), *EVERY], ids=" ".join)
def test_nothing_is_cut_and_no_type_of_the_code_shows(names: tuple[str, ...]) -> None:
    command = EVERY[names] if names else root()
    shown = command.get_help(command.context_class(command, info_name="freshness-bot", terminal_width=WIDTH))
    assert [line for line in shown.splitlines() if line.endswith("...") and not line.startswith("Usage: ")] == []
    assert re.findall(r" <(?:list|int range|float range)\b.*?>", shown.replace("REPOSITORY <list[str]>", "")) == []


def help_page(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert result.exit_code == 0
    return result.output


def listed(page: str) -> set[str]:
    """The commands that a help page has a row for."""
    return set(re.findall(r"^  ([a-z][a-z-]+)  ", page.partition("Show this message and exit.")[2], re.MULTILINE))


def test_help_lists_the_twelve_commands_that_a_week_needs_and_how_to_see_all() -> None:
    page = help_page("--help")
    assert listed(page) == {name for names in OF_A_WEEK.values() for name in names}
    assert len(listed(page)) == 12
    assert f"`freshness-bot --help all` lists all {len(root().commands)} commands." in page


def test_help_all_lists_every_command() -> None:
    assert listed(help_page("--help", "all")) == set(root().commands)
