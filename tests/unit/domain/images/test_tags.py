from datetime import UTC, datetime
from hashlib import sha256
from string import ascii_letters

import pytest

from bot.domain.images.claims import Build, TagKind, TagRule, likely_newest, name_and_tag, of_tag

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


DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "y": 2, "j": 3, "V": 2, "U": 2, "W": 2}


@pytest.mark.parametrize("letter", ascii_letters)
def test_a_part_of_a_date_is_looked_for_as_its_digits_or_as_anything(letter: str) -> None:
    text = f"{{date:%{letter}}}"
    if letter in "aAbBdfGHIjmMpSuUVwWyY":
        assert TagRule.parse(text).pattern == ("[0-9]" * DIGITS.get(letter, 0) or "*")
    else:
        with pytest.raises(ValueError, match="is no part of a date"):
            TagRule.parse(text)


@pytest.mark.parametrize(
    ("text", "fits", "fits_not"),
    [
        ("{sha}", "a" * 40, "a" * 39),
        ("{short_sha}", "0123abc", "0123abg"),
        ("r{run_number}", "r42", "rx"),
        ("v*", "v1", "w1"),
        ("latest", "latest", "latest2"),
    ],
)
def test_a_rule_fits_what_its_builds_leave_behind_and_nothing_else(text: str, fits: str, fits_not: str) -> None:
    rule = TagRule.parse(text)
    assert (str(rule), rule.fits(fits), rule.fits(fits_not)) == (text, True, False)
    assert rule.fitting([fits_not, fits]) == [fits]


@pytest.mark.parametrize("text", ["{sha}", "{short_sha}", "{run_number}", "{date:%Y}"])
def test_each_part_is_left_open_where_the_build_does_not_tell_it(text: str) -> None:
    assert TagRule.parse(text).filled(Build()) is None
    assert TagRule.parse(f"v{text}").filled(Build()) is None


def test_the_longest_tag_that_registries_take_is_one() -> None:
    assert TagRule.parse("x" * 128).text == "x" * 128


@pytest.mark.parametrize(
    ("text", "name", "tag"),
    [
        ("ghcr.io/contoso/shop", "ghcr.io/contoso/shop", "latest"),
        ("ghcr.io/contoso/shop:v*", "ghcr.io/contoso/shop", "v*"),
        ("host:5000/shop", "host:5000/shop", "latest"),
        ("host:5000/shop:{date:%Y%m}", "host:5000/shop", "{date:%Y%m}"),
        ("shop:1", "shop", "1"),
    ],
)
def test_a_tag_stands_behind_the_first_colon_of_the_last_part(text: str, name: str, tag: str) -> None:
    assert name_and_tag(text) == (name, tag)


def test_of_many_shapes_none_is_known_to_count_up() -> None:
    shapes = [f"{word}-{number}" for word in "abcde" for number in (9, 10)]
    assert likely_newest(shapes, 5) == [f"{word}-10" for word in "abcde"]
    assert likely_newest([*shapes, "f-1"], 6) is None


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


def test_tags_that_are_no_more_than_are_asked_for_stay_as_they_are() -> None:
    assert likely_newest(["v2", "v1"], 2) == ["v2", "v1"]


def test_what_is_no_tag_is_told_by_its_beginning() -> None:
    with pytest.raises(ValueError) as refused:
        TagRule.parse("!" * 81)
    assert str(refused.value) == (
        f"{'!' * 80!r} is no tag; write one such as latest, {{sha}}, {{short_sha}}, {{run_number}}, "
        "{date:%Y%m%d}, or a pattern such as v*"
    )
    with pytest.raises(ValueError) as refused:
        TagRule.parse(f"{{date:%Y%Q}}{'x' * 80}")
    assert str(refused.value) == (
        f"{'{date:%Y%Q}' + 'x' * 69!r} is no tag: '%Q' is no part of a date; write such as %Y, %m, %d, %H or %V"
    )
