"""The manifest of the page on the GitHub App asks for what the code uses, and for nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.clients.forges.github.connection.installations import PERMISSIONS
from bot.web.hooks.github import EVENTS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operate" / "app.md").read_text(encoding="utf-8")
RIGHT_OF = {
    "push": "contents",
    "pull_request": "pull_requests",
    "merge_group": "merge_queues",
    "workflow_run": "actions",
    "workflow_job": "actions",
    "check_suite": "checks",
    "issues": "issues",
    "repository": "metadata",
}
"""GitHub, "Webhook events and payloads": without the right an App cannot ask for the event."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    [written] = re.findall(r"<textarea name=\"manifest\".*?>(.*?)</textarea>", PAGE, re.DOTALL)
    found: dict[str, Any] = json.loads(written)
    return found


def test_it_asks_for_exactly_the_rights_that_the_bot_uses(manifest: dict[str, Any]) -> None:
    assert manifest["default_permissions"] == {each.name: each.level for each in PERMISSIONS}


def test_it_asks_for_events_that_the_bot_reads_and_its_rights_allow(manifest: dict[str, Any]) -> None:
    events = set(manifest["default_events"])
    assert events == RIGHT_OF.keys()
    assert events <= EVENTS.keys()
    assert {RIGHT_OF[event] for event in events} <= manifest["default_permissions"].keys()


def test_each_right_that_is_not_needed_may_be_left_out_and_the_page_says_what_follows() -> None:
    optional = {each.name for each in PERMISSIONS if not each.is_needed}
    _, _, told = PAGE.partition("Leave out what you do not want")
    assert {name for name in optional if not re.search(rf"(?m)^- `{name}`[:,]", told)} == set()
