from datetime import UTC, datetime
from hashlib import sha256

import pytest

from bot.domain.images.claims.tags import Build, TagKind, TagRule, likely_newest, of_tag

BUILD = Build("0123456789abcdef0123456789abcdef01234567", 42, datetime(2026, 3, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "kind", "filled"),
    [
        ("latest", TagKind.FIXED, "latest"),
        ("{sha}", TagKind.TEMPLATE, BUILD.sha),
        ("sha-{short_sha}", TagKind.TEMPLATE, "sha-0123456"),
        ("r{run_number}", TagKind.TEMPLATE, "r42"),
        ("{date:%Y%m%d}", TagKind.TEMPLATE, "20260310"),
        ("v*", TagKind.PATTERN, None),
        ("{date:%Y%m%d}-*", TagKind.PATTERN, None),
    ],
)
def test_a_tag_is_fixed_made_of_the_build_or_a_pattern(text: str, kind: TagKind, filled: str | None) -> None:
    rule = TagRule.parse(text)
    assert (rule.kind, rule.filled(BUILD)) == (kind, filled)
    if filled is not None:
        assert rule.fitting([filled, "other"]) == [filled]


def test_of_many_dates_and_versions_the_highest_of_each_are_likely_the_newest() -> None:
    dates, versions = [f"202611{day:02}" for day in range(1, 31)], [f"v1.{minor}.0" for minor in range(40)]
    likely = likely_newest(["latest", *dates, *versions], 9)
    assert likely == ["latest", "20261128", "20261129", "20261130", "v1.37.0", "v1.38.0", "v1.39.0"]


def test_a_few_tags_may_each_be_the_newest_and_so_may_commits() -> None:
    assert likely_newest(["b", "a"], 2) == ["b", "a"]
    assert likely_newest([sha256(bytes([number])).hexdigest() for number in range(60)], 50) is None


def test_what_the_build_does_not_tell_leaves_the_tag_open() -> None:
    assert TagRule.parse("{run_number}-{sha}").filled(Build(sha="a" * 40)) is None


@pytest.mark.parametrize("text", ["", "a b", "{branch}", "a:b", "x" * 129, "{date:}"])
def test_no_tag_is_refused_with_what_may_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="is no tag; write one such as"):
        TagRule.parse(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [("{date:%Q}", "%Q"), ("{date:%Y/%m}", "/"), ("{date:%-d}", "%-"), ("{date:%}", "%"), ("v{date:%c}", "%c")],
)
def test_a_date_of_unknown_parts_is_refused_in_one_line_that_names_them(text: str, named: str) -> None:
    with pytest.raises(ValueError, match="is no part of a date") as refused:
        TagRule.parse(text)
    assert repr(named) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_part_of_a_date_that_is_taken_makes_what_a_tag_may_have() -> None:
    rule = TagRule.parse("{date:%a%A%b%B%d%f%G%H%I%j%m%M%p%S}-{date:%u%U%V%w%W%y%Y.x_}")
    filled = rule.filled(Build(at=datetime(2026, 3, 10, 12, tzinfo=UTC)))
    assert filled is not None
    assert rule.fitting([filled]) == [filled]
    assert TagRule.parse(filled).kind is TagKind.FIXED


def test_a_tag_is_of_the_rule_that_it_fits_and_of_no_other() -> None:
    rules = {"latest": 1, "net10-*": 2, "net10-edge-*": 3, "{sha}": 4}
    assert of_tag("net10-20261130", rules) == 2
    assert of_tag("net10-edge-1", rules) == 3
    assert of_tag("latest", rules) == 1
    assert of_tag("c" * 40, rules) == 4
    assert of_tag("net9-20261130", rules) is None
