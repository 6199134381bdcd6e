"""The tag cases drawn from the public test suites of Dependabot and diun."""

import json
from functools import cache
from typing import Any

import pytest

from bot.domain.tags.choice import is_compatible, is_newer
from bot.domain.tags.tag import Tag
from tests.conftest import NO_SHARED_DATA, SHARED
from tests.unit.domain.tags.choosing import choose_tag

CASES = SHARED / "cases" / "tags.jsonl"

OUR_RULE_DIFFERS = {
    "looks_like_prerelease?(1.0.0.post1)": "PEP 440: a post-release follows the release",
    "looks_like_prerelease?(2.1.0.POST2)": "PEP 440: a post-release follows the release",
    "comparable_to? two dated": "4.8 and 4.8.1 differ in precision, and a proposal keeps the precision",
    "comparable_to? two non-dated": "4.8 and 4.8.1 differ in precision, and a proposal keeps the precision",
    "newer version with more precision [8.7-923.1669829893]": "the number behind keeps its precision too",
}


@cache
def cases() -> list[dict[str, Any]]:
    if not CASES.exists():
        return []
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


def of(kind: str) -> list[Any]:
    found = [
        pytest.param(
            case,
            id=case["id"],
            marks=[pytest.mark.xfail(reason=reason, strict=True)] if (reason := our_reason(case)) else [],
        )
        for case in cases()
        if case["kind"] == kind
    ]
    absent = pytest.mark.skip(reason=NO_SHARED_DATA)
    return found or [pytest.param({}, id="absent", marks=absent)]


def our_reason(case: dict[str, Any]) -> str | None:
    if not case["peer_specific"]:
        return None
    return next((why for name, why in OUR_RULE_DIFFERS.items() if case["id"].endswith(name)), None)


@pytest.mark.parametrize("case", of("parse"))
def test_a_tag_is_read_as_the_case_says(case: dict[str, Any]) -> None:
    tag = Tag.parse(case["a"])
    read = {
        "version": tag.version,
        "prerelease": tag.is_prerelease,
        "dated": tag.is_dated,
        "valid": tag.is_versioned,
        "artifact": tag.artifact,
    }
    assert {key: read[key] for key in case["expect"]} == case["expect"]


@pytest.mark.parametrize("case", of("compatible"))
def test_a_tag_may_take_anothers_place_as_the_case_says(case: dict[str, Any]) -> None:
    assert is_compatible(case["a"], case["b"]) is case["expect"]


@pytest.mark.parametrize("case", of("newer"))
def test_a_tag_is_newer_than_another_as_the_case_says(case: dict[str, Any]) -> None:
    assert is_newer(case["a"], case["b"]) is case["expect"]


@pytest.mark.parametrize("case", of("select"))
def test_the_tag_that_the_case_says_is_chosen(case: dict[str, Any]) -> None:
    assert choose_tag(case["a"], case["available"]) == case["expect"]
