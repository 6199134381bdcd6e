"""Numbers and digests in few bytes, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.rows.running.numbers import digests_in, numbers_in, packed_digests, packed_numbers

_NUMBERS = st.lists(st.integers(0, 2**63), max_size=300).map(sorted)
_SHA256 = st.binary(min_size=32, max_size=32).map(lambda body: f"sha256:{body.hex()}")
_OTHERS = st.sampled_from(["sha512:" + "a" * 128, "sha256:ABC", "sha256:" + "G" * 64])


@given(_NUMBERS)
def test_numbers_come_back_as_they_were(numbers: list[int]) -> None:
    assert list(numbers_in(packed_numbers(numbers))) == numbers


def test_numbers_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="1 comes after 2"):
        packed_numbers([2, 1])


@given(st.lists(_SHA256 | _OTHERS, max_size=3))
def test_digests_come_back_as_they_were(digests: list[str]) -> None:
    assert digests_in(packed_digests(digests)) == tuple(digests)
