"""Which groups of things belong together."""

import pytest

from bot.domain.images.claim_choice import joined


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([], []),
        (["a", "b"], [["a"], ["b"]]),
        (["a", "ba", "c"], [["a", "b", "a"], ["c"]]),
        (["a", "c", "ab", "d", "cb"], [["a", "c", "a", "b", "c", "b"], ["d"]]),
        (["a", "a", "A"], [["a", "a", "A"]]),
        (["ab", "cd", "ef", "fg"], [["a", "b"], ["c", "d"], ["e", "f", "f", "g"]]),
    ],
)
def test_groups_that_share_something_are_one_in_the_order_of_the_first(
    groups: list[str], expected: list[list[str]]
) -> None:
    assert list(joined(groups, str.lower)) == expected
