"""The README speaks of commands, options, files and settings that exist."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bot.formats.repository_config import parse
from bot.settings.schema import json_schema
from tests.integration.cli.conftest import Command

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
_CALL = re.compile(
    r"(?<!deploy/)(?<!-n )freshness-bot ((?:(?:config|packages|policy|sbom) )?[a-z]+)((?: [^\n`#]*)?)"
)
CALLS = sorted(set(_CALL.findall(README)))


@pytest.mark.parametrize(("command", "rest"), CALLS, ids=lambda part: part.strip())
def test_every_command_and_option_exists(bot: Command, command: str, rest: str) -> None:
    ran = bot(*command.split(), "--help")
    assert ran.code == 0
    options = re.findall(r"(?<!\S)\[?(--?[a-z][a-z-]*)", rest)
    assert [option for option in options if not re.search(rf"(^|\s){option}[ ,\n]", ran.out)] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)", README))))
def test_every_target_of_make_exists(target: str) -> None:
    assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize(
    "key", sorted(set(re.findall(r"`((?:github|schedule|limits|store|slack)\.[a-z_]+)`", README)))
)
def test_every_setting_exists(key: str) -> None:
    section, name = key.split(".")
    schema = json_schema()
    found = str(schema["properties"][section]).partition("#/$defs/")[2].partition("'")[0]
    assert name in schema["$defs"][found]["properties"]


def test_the_example_of_a_repositorys_own_settings_is_taken_as_it_stands() -> None:
    [text] = [block for block in re.findall(r"(?s)```yaml\n(.*?)```", README) if "enabled:" in block]
    config, problems = parse(text, datetime(2026, 1, 1, tzinfo=UTC))
    assert problems == ()
    assert config.labels == ("dependencies",)
    assert (config.reviewers, config.team_reviewers) == (("octocat",), ("platform",))
    assert yaml.safe_load(text).keys() == {"enabled", "action", "workflow", "owners", "labels", "ignore"}
