"""The files in config/: what they show is what the code takes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.policy import Terms
from bot.settings import BadSettings, Settings, check_secrets, load
from bot.settings.document import read
from bot.settings.model import json_schema
from bot.settings.review import review

CONFIG = Path(__file__).parents[3] / "config"
EXAMPLE = CONFIG / "freshness.yaml"
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")


def keys(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of the settings with its part of the schema."""
    found = node if isinstance(node, list) else list(node.values()) if isinstance(node, dict) else []
    if isinstance(node, dict) and isinstance(node.get("properties"), dict):
        yield from ((name, described(part)) for name, part in node["properties"].items())
    for part in found:
        yield from keys(part)


def described(part: dict[str, Any]) -> dict[str, Any]:
    """A section is described once, where it is defined."""
    reference = part.get("$ref", "").rpartition("/")[2]
    return {**json_schema()["$defs"].get(reference, {}), **part}


def test_the_schema_file_is_what_the_command_prints() -> None:
    assert json.loads((CONFIG / "freshness.schema.json").read_text()) == json_schema(), (
        "write it anew: freshness-bot config schema -o config/freshness.schema.json"
    )


@pytest.mark.parametrize("path", sorted((CONFIG / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_valid_and_says_nothing_in_vain(path: Path) -> None:
    settings = load(path)
    jsonschema.validate(json.loads(json.dumps(read(path).values, default=str)), json_schema())
    assert (settings.former_names(), list(review(settings))) == ([], [])


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_every_default_is_one_that_the_schema_takes() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.validate(Settings().model_dump(mode="json", exclude={"feeds", "vulnerabilities"}))


def test_every_key_is_described_and_shown() -> None:
    text = EXAMPLE.read_text()
    shown = set(re.findall(r"(?=\b(\w+):)", text))
    told = {name: part for name, part in keys(json_schema()) if name != "url"}
    assert told.keys() - shown == set()
    assert {name for name, part in told.items() if part["description"] not in text} == set()


def test_the_example_is_taken_by_code_and_schema() -> None:
    load(EXAMPLE)
    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), json_schema())


def test_the_example_lacks_nothing_but_its_secrets() -> None:
    with pytest.raises(BadSettings) as error:
        check_secrets(load(EXAMPLE), EXAMPLE)
    assert error.value.lines == [
        f"/run/secrets/{file}: cannot read {key}: No such file or directory; mount the secret there"
        for file, key in (
            ("github-app.pem", "github.app.private_key_file"),
            ("slack-token", "slack.bot_token_file"),
            ("web-tokens", "web.auth.tokens_file"),
        )
    ]


def test_the_example_shows_the_defaults() -> None:
    shown, defaults = load(EXAMPLE), Settings()
    for section in (
        "registries",
        "bases",
        "feeds",
        "store",
        "schedule",
        "alerts",
        "rollout",
        "freezes",
        "limits",
        "log",
    ):
        assert getattr(shown, section) == getattr(defaults, section), section
    assert shown.github.model_copy(update={"app": None}) == defaults.github


@pytest.mark.parametrize("severity", [None, *Severity])
@pytest.mark.parametrize("cause", Cause)
def test_the_rules_of_the_example_decide_as_no_rule_does(cause: Cause, severity: Severity | None) -> None:
    shown = load(EXAMPLE).rules.terms("contoso/shop", BASE, cause, severity)
    assert shown == Settings().rules.terms("contoso/shop", BASE, cause, severity)
    assert shown.max_age == Terms().max_age
