"""Settings that cannot be read, and a store out of reach: one line and code 2, whatever the command."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from bot.cli.main import app
from tests.integration.cli.conftest import Command

REASON = ("--reason", "to try it")
IN_NEED_OF_THE_STORE = [
    *(
        ["status"],
        ["plan"],
        ["explain", "a/b"],
        ["history", "aspnet:10.0"],
        ["run"],
        ["once"],
        ["images"],
        ["summary"],
    ),
    *(["image", "shop"], ["rollout", "list"], ["rollout", "show", "1"], ["journal"], ["quarantine", "list"]),
    *(["rollout", order, "1", *REASON] for order in ("pause", "resume", "cancel")),
    *([order, "a/b", *REASON] for order in ("retry", "skip", "hold")),
    *([order, "--all", *REASON] for order in ("pause", "resume")),
    *(["quarantine", order, "aspnet:10.0", *REASON] for order in ("add", "lift")),
    ["export", "--observations", "observations.jsonl"],
    ["import", "--observations", "/dev/null"],
]
NUMBERS = frozenset({"number"})
IN_A_REGISTRY = frozenset({"source", "before", "after"})
"""What is a path may be asked for without settings, an image in a registry may not."""
BESIDES = {
    "audit": ["a/b"],
    "pause": ["--all"],
    "resume": ["--all"],
    "export": ["--observations", "observations.jsonl"],
    "import": ["--observations", "/dev/null"],
    "sbom export": ["r.example/a/b"],
}
"""What a command asks for in words of its own."""


def with_settings(group: TyperGroup, before: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Every command that reads a settings file, with something for each argument and option that it asks for."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from with_settings(command, (*before, name))
        elif any("--config" in each.opts for each in command.params):
            asked = [word for each in command.params if each.required for word in given(each)]
            called = [*before, name]
            yield [*called, *asked, *BESIDES.get(" ".join(called), [])]


def given(parameter: Any) -> list[str]:
    value = "1" if parameter.name in NUMBERS else "r.example/a/b" if parameter.name in IN_A_REGISTRY else "a/b"
    return [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]


def every_command_with_settings() -> list[list[str]]:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return list(with_settings(root))


@pytest.mark.parametrize("words", every_command_with_settings(), ids=lambda words: " ".join(words))
@pytest.mark.parametrize("text", [None, "github: [", "githb: {}\n"], ids=["absent", "no YAML", "unknown key"])
def test_settings_that_cannot_be_read_are_one_line(
    bot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], text: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "freshness.yaml"
    if text is not None:
        path.write_text(text)
    ran = bot(*words, "-c", path)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"{path}:")


@pytest.mark.parametrize("words", IN_NEED_OF_THE_STORE, ids=lambda words: " ".join(words))
def test_a_store_out_of_reach_is_one_line(
    bot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("ghp_x")
    path = tmp_path / "freshness.yaml"
    url = f"sqlite:///{tmp_path}/absent/freshness.db"
    path.write_text(
        f"github: {{token_file: {tmp_path}/token, repositories: {{include: [contoso/*]}}}}\n"
        f"store: {{url: '{url}'}}\nweb: {{listen: null}}\n"
    )
    ran = bot(*words, "-c", path)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "the database cannot be opened: unable to open database file" in ran.err
    assert not (tmp_path / "absent").exists()


def test_health_is_asked_on_its_own_port_where_it_has_one(bot: Command, tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text("web: {listen: '127.0.0.1:1', health_listen: '0.0.0.0:2'}\n")
    ran = bot("health", "-c", path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("127.0.0.1:2: cannot be connected to; ")
    assert ran.err.endswith(" listens where web.health_listen says\n")


def test_a_service_that_does_not_run_is_told_to_be_looked_at_here(bot: Command, tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text("web: {listen: '127.0.0.1:1'}\n")
    ran = bot("health", "-c", path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "127.0.0.1:1: cannot be connected to; see that `freshness-bot run` runs here, "
        "and listens where web.listen says\n"
    )
