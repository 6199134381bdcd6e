"""References and rewrites of public test suites: every case of the shared data, by kind of file."""

import json
from functools import cache
from typing import Any

import pytest

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Kind, Replacement, Usage
from bot.files.formats.finding import find_usages
from bot.files.formats.rewrite.rewrite import rewrite
from bot.files.formats.table import kind_of
from tests.conftest import NO_SHARED_DATA, SHARED

KNOWN_DISAGREEMENTS: dict[str, str] = {}
"""Cases that the real program contradicts: their identifier, and what it does instead."""

Case = dict[str, Any]


@cache
def cases(name: str) -> list[Case]:
    file = SHARED / "cases" / f"{name}.jsonl"
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def named(name: str) -> list[Any]:
    found = cases(name)
    if not found:
        skip = pytest.mark.skip(reason=NO_SHARED_DATA)
        return [pytest.param({}, marks=skip)]
    return [pytest.param(case, id=f"{case['kind']}: {case['id']}") for case in found]


def is_it(usage: Usage, reference: Case) -> bool:
    expected = Reference(reference["image"], reference["tag"], reference["digest"])
    return usage.reference == expected and usage.line in [reference["line"], *reference.get("also_lines", [])]


@pytest.mark.parametrize("case", named("discover"))
def test_the_references_of_the_file_are_found_and_no_others(case: Case) -> None:
    usages = find_usages(case["filename"], case["content"].encode(), Kind(case["kind"])).usages
    required = [reference for reference in case["expect"] if reference["role"] != "syntax"]
    allowed = [*case["expect"], *case.get("optional", [])]
    missing = [reference for reference in required if not any(is_it(usage, reference) for usage in usages)]
    false = [usage for usage in usages if not any(is_it(usage, reference) for reference in allowed)]
    if case["id"] in KNOWN_DISAGREEMENTS:
        assert missing or false, "this case passes now: take it out of KNOWN_DISAGREEMENTS"
        return
    assert not missing
    assert not false


@pytest.mark.parametrize("case", named("discover"))
def test_the_path_tells_the_kind_where_it_follows_the_habits(case: Case) -> None:
    unusual = {"custom-name", "fixture.image"}
    if case["filename"] not in unusual:
        assert kind_of(case["filename"]) is not None


@pytest.mark.parametrize("case", named("rewrite"))
def test_the_file_is_rewritten_to_the_byte(case: Case) -> None:
    old, new = case["from"], case["to"]
    replacement = Replacement(
        Reference(old["image"], old["tag"], old["digest"]),
        Reference(new.get("image", old["image"]), new["tag"], new["digest"]),
    )
    result = rewrite(case["filename"], case["content"].encode(), [replacement], Kind(case["kind"]))
    assert result.data.decode() == case["expected_content"]
    assert not result.refused
    assert result.edits == len(case["changed_lines"])
