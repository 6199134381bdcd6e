"""`summary` of a fleet in the middle of a rollout, in each of its forms."""

import json

from tests.integration.cli.conftest import Command, Filled


def test_for_people_it_is_a_few_lines(bot: Command, filled: Filled) -> None:
    ran = bot("summary", "-c", filled.config)
    assert (ran.code, ran.err) == (0, "")
    assert "of the fleet is current: of 5 repositories" in ran.out
    assert len(ran.out.splitlines()) < 20


def test_for_scripts_it_is_one_document(bot: Command, filled: Filled) -> None:
    found = json.loads(bot("summary", "-c", filled.config, "--format", "json", "--days", 30).out)
    assert found["rollouts_in_all"] == len(found["rollouts"])
    assert set(found["rebuilt"]) == {"succeeded", "unproven", "merged", "failed"}


def test_for_an_issue_it_is_markdown(bot: Command, filled: Filled) -> None:
    assert bot("summary", "-c", filled.config, "--format", "markdown").out.startswith("## ")


def test_for_channels_it_is_what_they_take(bot: Command, filled: Filled) -> None:
    blocks = json.loads(bot("summary", "-c", filled.config, "--format", "slack").out)
    card = json.loads(bot("summary", "-c", filled.config, "--format", "teams").out)
    assert blocks[0]["type"] == "header"
    assert card["type"] == "AdaptiveCard"
