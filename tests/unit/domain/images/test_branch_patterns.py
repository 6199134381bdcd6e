"""Which branches the patterns of a workflow mean."""

import pytest

from bot.domain.images.claim_choice import are_of


@pytest.mark.parametrize(
    ("branch", "patterns", "fits"),
    [
        ("main", (), False),
        ("main", ("main",), True),
        ("main", ("mai",), False),
        ("main", ("main2",), False),
        ("main", ("main", "!main"), False),
        ("main", ("!main", "main"), True),
        ("main", ("!main",), False),
        ("main", ("main", "!other"), True),
        ("release/10", ("release/*",), True),
        ("release/10", ("*",), False),
        ("release/10", ("*10",), False),
        ("release/10", ("*/10",), True),
        ("release/10", ("**",), True),
        ("release/10/hot", ("release/*",), False),
        ("release/10/hot", ("release/**",), True),
        ("release/10/hot", ("**/hot",), True),
        ("release/10/hot", ("*/*/hot",), True),
        ("release/10/hot", ("*/hot",), False),
        ("release", ("re*",), True),
        ("release", ("rel**x**",), False),
        ("abab", ("*ab",), True),
        ("abab", ("ab*ab",), True),
        ("aba", ("ab*ba",), False),
        ("/x", ("*",), False),
        ("a/b", ("*", "!a/b"), False),
        ("a//b", ("a/*/b",), True),
    ],
)
def test_of_the_patterns_that_fit_the_last_counts_and_a_star_takes_no_slash(
    branch: str, patterns: tuple[str, ...], fits: bool
) -> None:
    assert are_of(branch, patterns) is fits


@pytest.mark.parametrize("pattern", ["v?", "v+", "v[12]"])
def test_what_else_patterns_may_have_is_taken_to_fit(pattern: str) -> None:
    assert are_of("main", (pattern,)) is True
    assert are_of("main", ("main", f"!{pattern}")) is False


def test_very_many_patterns_are_taken_to_fit() -> None:
    assert are_of("main", ("x" * 2_000,)) is False
    assert are_of("main", ("x" * 2_001,)) is True
