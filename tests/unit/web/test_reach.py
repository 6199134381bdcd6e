"""What each event concerns, and that nothing odd in one is more than nothing."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reach import PushedTag, Reach
from bot.domain.repositories.repository import GITHUB, RepositoryId
from bot.web.hooks.github import EVENTS, is_signed, may_be_signed, reach_of, signing
from bot.web.hooks.receiving import reach_of_push

REPOSITORY = {"id": 7, "full_name": "contoso/shop", "default_branch": "main"}
SHOP = frozenset({RepositoryId(GITHUB, "7")})
PACKAGE = {
    "package_type": "CONTAINER",
    "namespace": "Contoso",
    "name": "base/aspnet",
    "package_version": {"container_metadata": {"tag": {"name": "10.0", "digest": "sha256:…"}}},
}
TARGET = {"mediaType": "application/vnd.oci.image.index.v1+json", "repository": "base/aspnet", "tag": "10.0"}


@pytest.mark.parametrize(
    ("event", "payload", "reach"),
    [
        ("push", {"ref": "refs/heads/main", "repository": REPOSITORY}, Reach(moved_branches=SHOP)),
        ("push", {"ref": "refs/heads/feature", "repository": REPOSITORY}, Reach()),
        ("push", {"ref": "refs/tags/main", "repository": REPOSITORY}, Reach()),
        *(
            (event, {"action": "completed", "repository": REPOSITORY}, Reach(followed=SHOP))
            for event in ("pull_request", "merge_group", "workflow_run", "workflow_job", "check_suite", "issues")
        ),
        *(
            (event, {"action": "created"}, Reach(fleet=True))
            for event in ("repository", "installation", "installation_repositories")
        ),
        (
            "registry_package",
            {"registry_package": PACKAGE},
            Reach(pushed=(PushedTag("contoso/base/aspnet", "10.0"),)),
        ),
        ("registry_package", {"registry_package": {**PACKAGE, "package_type": "npm"}}, Reach()),
        ("ping", {"zen": "Keep it logically awesome."}, Reach()),
        ("star", {"repository": REPOSITORY}, Reach()),
    ],
)
def test_an_event_of_github(event: str, payload: dict[str, Any], reach: Reach) -> None:
    assert reach_of(event, payload) == reach


@pytest.mark.parametrize(
    ("payload", "pushed"),
    [
        ({"events": [{"action": "push", "target": TARGET, "request": {"host": "r.example"}}]}, ["10.0"]),
        ({"events": [{"action": "pull", "target": TARGET}, {"action": "delete", "target": TARGET}]}, []),
        ({"events": [{"action": "push", "target": TARGET}] * 3}, ["10.0"]),
        ({"id": "cb8c3971", "action": "push", "target": {**TARGET, "tag": "9.0"}}, ["9.0"]),
        ({"push_data": {"tag": "8.0"}, "repository": {"repo_name": "base/aspnet"}}, ["8.0"]),
        ({"action": "push", "target": {"repository": "base/aspnet"}}, [None]),
    ],
    ids=["distribution", "others", "repeated", "azure", "hub", "untagged"],
)
def test_a_push_to_a_registry(payload: dict[str, Any], pushed: list[str | None]) -> None:
    assert reach_of_push(payload) == Reach(pushed=tuple(PushedTag("base/aspnet", tag) for tag in pushed))


def test_githubs_shape_is_taken_from_a_registry_too() -> None:
    found = reach_of_push({"registry_package": PACKAGE})
    assert found.pushed == (PushedTag("contoso/base/aspnet", "10.0"),)


NAMES = (
    *("repository", "id", "default_branch", "ref", "target", "events", "action", "push_data", "tag", "name"),
    *("registry_package", "package_type", "package_version", "container_metadata", "namespace"),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(list(EVENTS)), st.dictionaries(st.text(max_size=12), anything, max_size=4), anything)
def test_no_payload_breaks_anything(event: str, payload: dict[str, Any], repository: Any) -> None:
    given_ = {**payload, "repository": repository, "target": repository, "events": repository}
    reach_of(event, given_)
    reach_of_push(given_)
    reach_of_push({**payload, "target": repository, "action": "push"})


def test_only_who_knows_the_secret_can_sign() -> None:
    body = json.dumps({"ref": "refs/heads/main"}).encode()
    right = "sha256=" + hmac.new(b"secret of the hook", body, hashlib.sha256).hexdigest()
    read, longer = signing("secret of the hook"), signing("secret of the hook")
    for part in (body[:5], body[5:]):
        read.update(part)
    longer.update(body + b" ")
    assert may_be_signed([right])
    assert is_signed(read, right)
    for wrong in ("", right[7:], "sha1=" + right[7:], right.upper(), right + "0", "sha256=ä"):
        assert not may_be_signed([wrong])
        assert not is_signed(read, wrong)
    assert not is_signed(longer, right)


def test_two_signatures_are_none() -> None:
    assert not may_be_signed([])
    assert not may_be_signed(["sha256=" + "0" * 64] * 2)
