from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.globs import any_covers, covers, may_meet, names_repository


@pytest.mark.parametrize(
    ("wide", "narrow", "holds"),
    [
        ("*", "contoso/[ab]*", True),
        ("contoso/*", "contoso/shop", True),
        ("contoso/*", "contoso/shop-*", True),
        ("contoso/*", "*/shop", False),
        ("contoso/?", "contoso/*", False),
        ("a?c", "a*c", False),
        ("contoso/[ab]*", "contoso/[ab]*", True),
        ("contoso/[ab]*", "contoso/a*", False),
    ],
)
def test_a_glob_covers_another_where_that_can_be_told(wide: str, narrow: str, holds: bool) -> None:
    assert covers(wide, narrow) is holds


def test_no_glob_is_every_name() -> None:
    assert any_covers([], ["a"])
    assert not any_covers(["a"], [])
    assert any_covers(["*"], [])


globs = st.text("ab*?[]", max_size=5)


@given(wide=globs, narrow=globs, name=st.text("ab", max_size=5))
def test_what_is_covered_is_matched(wide: str, narrow: str, name: str) -> None:
    if covers(wide, narrow) and fnmatchcase(name, narrow):
        assert fnmatchcase(name, wide)


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        ("contoso/*", "*/shop", True),
        ("contoso/*", "fabrikam/*", False),
        ("*:9.0", "mcr.microsoft.com/*:10.0", False),
        ("a?", "a", False),
        ("[ab]", "c", True),
        ("", "*", True),
    ],
)
def test_two_globs_meet_where_a_name_may_match_both(one: str, other: str, holds: bool) -> None:
    assert may_meet(one, other) is holds
    assert may_meet(other, one) is holds


@given(one=globs, other=globs, name=st.text("ab", max_size=5))
def test_what_matches_both_is_where_they_meet(one: str, other: str, name: str) -> None:
    if fnmatchcase(name, one) and fnmatchcase(name, other):
        assert may_meet(one, other)


@pytest.mark.parametrize(
    ("glob", "name", "holds"),
    [
        ("*", "contoso/shop", True),
        ("*", "contoso/team/desk", True),
        ("contoso/*", "Contoso/shop", True),
        ("*shop", "contoso/shop", True),
        ("contoso/*", "contoso/team/desk", False),
        ("*desk", "contoso/team/desk", False),
        ("contoso/*/desk", "contoso/other team/desk", True),
        ("contoso/team/*", "contoso/team/desk", True),
        ("contoso/team/*", "contoso/teams/desk", False),
    ],
)
def test_a_star_takes_in_no_more_than_one_part_of_a_name_of_three(glob: str, name: str, holds: bool) -> None:
    assert names_repository([glob], name) is holds
