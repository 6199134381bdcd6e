"""The documents speak of rooms, commands, settings, files and targets that exist, and of each that exists."""

import os
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.cli.main import app
from bot.domain.images.answers import ImageQuestion
from bot.files.formats.repository_config import parse
from bot.web.pages.looking import routes as PAGES_SHOWN
from docs.reference import setting_names

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
ALL = "\n".join(TEXTS.values())
TOP = {path.name for path in ROOT.iterdir()}

_FENCED = re.compile(r"(?ms)^[ ]*```[a-z]*(?: [^\n]*)?\n(.*?)^[ ]*```")
_SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_PATH = re.compile(r"\.?[\w-]+(?:[./][\w.-]+)*/?")
_PLACEHOLDER = re.compile(r"(?:^|[/_.])[A-Z]{3,}(?=[/_.]|$)(?!\.md)")
"""`bot/files/formats/NAME/finder.py` is a pattern, `SECURITY.md` a file."""


def spans(text: str) -> list[str]:
    """What stands between backticks, but for blocks of code."""
    return [" ".join(span.split()) for span in _SPAN.findall(_FENCED.sub("", text))]


def code(text: str) -> list[str]:
    """Lines that a reader may type: code between backticks, and the lines of blocks."""
    return [*spans(text), *(line.strip() for block in _FENCED.findall(text) for line in block.splitlines())]


ON_EVERY_PAGE = pytest.mark.parametrize("page", TEXTS)


def links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)\s:]+)\)", TEXTS[page])


def leads_somewhere(page: str, target: str) -> bool:
    """Whether the file is there, and the heading in it."""
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    if not file.exists() or not anchor:
        return file.exists()
    headings = re.findall(r"(?m)^#+ (.+)$", file.read_text(encoding="utf-8"))
    return anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@ON_EVERY_PAGE
def test_every_link_leads_to_a_file_and_its_heading(page: str) -> None:
    assert [target for target in links(page) if not leads_somewhere(page, target)] == []


def test_every_page_is_linked_from_another() -> None:
    linked = {
        os.path.normpath(os.path.join(os.path.dirname(page), target.partition("#")[0]))
        for page in TEXTS
        for target in links(page)
    }
    assert {page for page in TEXTS if page.startswith("docs/")} - linked == set()


@ON_EVERY_PAGE
def test_it_begins_with_what_it_is_for(page: str) -> None:
    title, first, *_ = TEXTS[page].split("\n\n")
    assert title.startswith("# ")
    assert not first.startswith(("#", "```", "|", "![", "This page is written")), first


def paths(text: str) -> list[str]:
    found = [span for span in spans(text) if _PATH.fullmatch(span) and not _PLACEHOLDER.search(span)]
    return [path for path in found if path.partition("/")[0] in TOP and ("/" in path or (ROOT / path).suffix)]


@ON_EVERY_PAGE
def test_every_path_exists(page: str) -> None:
    assert [path for path in paths(TEXTS[page]) if not (ROOT / path).exists()] == []


PLACED = re.findall(r"`([A-Za-z_.]+)`(?:\s+in\s+|\s+\(|\s+of\s+)`(bot/[\w/]+\.py)`", ALL)


def test_every_name_stands_in_the_file_that_is_said_to_have_it() -> None:
    assert [
        (name, path)
        for name, path in PLACED
        if not re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / path).read_text(encoding="utf-8"))
    ] == []


def names(text: str) -> list[str]:
    spelt = re.compile(r"[A-Za-z]*_[A-Za-z_]+|[A-Z][a-z]+[A-Za-z.]*[.A-Z][A-Za-z_]+")
    return [span for span in spans(text) if spelt.fullmatch(span)]


@pytest.fixture(scope="module")
def words_of_the_code() -> set[str]:
    files = [path for folder in ("bot", "sandbox", "tests") for path in (ROOT / folder).rglob("*.py")]
    return {word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("page", [page for page in TEXTS if page.startswith(("docs/how-to/", "docs/architecture"))])
def test_every_name_of_the_code_is_in_the_code(page: str, words_of_the_code: set[str]) -> None:
    assert {name.rpartition(".")[2] for name in names(TEXTS[page])} - words_of_the_code == set()


def rooms() -> list[str]:
    return [f"bot/{path.parent.name}/" for path in sorted((ROOT / "bot").glob("*/__init__.py"))]


def test_every_room_is_in_the_architecture() -> None:
    assert [room for room in rooms() if f"| `{room}` |" not in TEXTS["docs/architecture.md"]] == []


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from commands(inner, f"{path} {name}".strip())


COMMANDS = dict(commands(typer.main.get_command(app)))
UNUSABLE: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises at arguments and options that a command does not take."""


def test_every_command_is_in_a_document() -> None:
    assert [name for name in COMMANDS if f"`{name}`" not in ALL and f"freshness-bot {name}" not in ALL] == []


def test_every_command_tells_in_the_table_how_it_ends() -> None:
    _, _, table = TEXTS["docs/commands.md"].partition("## Exit codes")
    told = re.findall(r"(?m)^\|(.+)\| 0\b", table)
    assert sorted(name for row in told for name in spans(row)) == sorted(COMMANDS)


def test_every_question_that_verify_asks_of_an_image_is_explained() -> None:
    assert [each for each in ImageQuestion if f"\n- `{each}`: " not in TEXTS["docs/checks.md"]] == []


def test_every_page_of_the_service_is_in_the_table_of_paths() -> None:
    pages = {f"/{route.path.split('/')[1]}" for route in PAGES_SHOWN}
    assert [page for page in sorted(pages) if f"`{page}" not in TEXTS["docs/operate/web.md"]] == []


def calls(text: str) -> list[str]:
    """Each call of the program, up to a comment, a pipe or the end of its line."""
    said = re.compile(r"(?<!deploy/)(?<!-n )(?<![\w/])(?:\.venv/bin/)?freshness-bot ([a-z][^#|\n]*)")
    return [call.strip() for line in code(text) for call in said.findall(line)]


def can_be_made(call: str) -> bool:
    """Whether there is such a command, or group of commands, that takes these arguments and options as they stand.

    Its name alone is a way to speak of it. A number of a rollout may be written `ID`.
    """
    words = ["1" if word == "ID" else word for word in shlex.split(call.replace("[", " ").replace("]", " "))]
    named = max((name for name in COMMANDS if words[: len(name.split())] == name.split()), key=len, default=None)
    if named is None:
        return words in ([name.split()[0]] for name in COMMANDS if " " in name)
    rest = words[len(named.split()) :]
    if not rest or rest == ["--help"]:
        return True
    try:
        COMMANDS[named].make_context(named, rest)
    except UNUSABLE:
        return False
    return True


@pytest.mark.parametrize("page", [page for page in TEXTS if page != "CHANGELOG.md"])
def test_every_command_and_option_exists(page: str) -> None:
    assert [call for call in calls(TEXTS[page]) if not can_be_made(call)] == []


TARGETS = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
NAMED_TARGETS = {target for line in code(ALL) for target in re.findall(r"^make ([a-z-]+)", line)}


def test_every_target_of_make_that_is_named_exists_and_each_that_exists_is_named() -> None:
    assert NAMED_TARGETS == TARGETS


SETTINGS = setting_names()
_SECTIONS = "|".join(sorted({name.partition(".")[0].removesuffix("[]") for name in SETTINGS}))


def settings(text: str) -> list[str]:
    """Keys with a section before them; whoever the section is for stands in capitals."""
    key = re.compile(rf"(?:{_SECTIONS})(?:\[\])?(?:\.[A-Za-z_]+)+")
    found = [span for span in spans(text) if key.fullmatch(span) and not re.search(r"\.(?:py|ya?ml|md|db)$", span)]
    return [re.sub(r"\.[A-Z]+(?=\.)", ".NAME", name) for name in found]


@ON_EVERY_PAGE
def test_every_setting_exists(page: str) -> None:
    assert {key.removesuffix(".NAME") for key in settings(TEXTS[page])} - SETTINGS == set()


def test_every_setting_is_in_a_document() -> None:
    assert SETTINGS - set(spans(ALL)) == set()


def test_every_file_with_a_secret_is_in_the_page_on_security() -> None:
    public = {"registries.NAME.ca_file", "running.sources[].ca_file", "running.sources[].past.ca_file"}
    secrets = {name for name in SETTINGS if name.endswith("_file")} - public
    told = {name.replace(".HOST.", ".NAME.") for name in spans(TEXTS["SECURITY.md"])}
    assert secrets - told == set()


def test_every_variable_is_that_of_a_setting() -> None:
    variables = re.findall(r"FRESHNESS_BOT_([A-Z_]*[A-Z])", ALL)
    assert {name.lower().replace("__", ".") for name in variables} - SETTINGS <= {"config"}


def test_the_index_of_decisions_has_each_under_its_title() -> None:
    folder = ROOT / "docs" / "adr"
    titles = {
        path.name: path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for path in folder.glob("[0-9]*.md")
    }
    listed = [(name, title) for title, name in re.findall(r"- \[(.+)\]\((.+)\)", TEXTS["docs/adr/README.md"])]
    assert listed == sorted(titles.items())


def test_the_example_of_a_repositorys_own_word_is_taken_as_it_stands() -> None:
    [text] = [block for block in _FENCED.findall(TEXTS["docs/repository-file.md"]) if "enabled:" in block]
    config, problems = parse(text, datetime(2026, 1, 1, tzinfo=UTC))
    assert problems == ()
    assert config.labels == ("dependencies",)
    assert (config.reviewers, config.team_reviewers) == (("octocat",), ("platform",))
    keys = {"enabled", "action", "workflow", "workflows", "owners", "labels", "produces", "ignore"}
    assert yaml.safe_load(text).keys() == keys
    assert set(re.findall(r"^\| `(\w+)` \|", TEXTS["docs/repository-file.md"], re.MULTILINE)) == keys
