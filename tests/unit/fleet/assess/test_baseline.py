from bot.domain.bases.observation import Observation
from bot.fleet.assess.baseline import BaseStanding, follow
from tests.unit.fleet.assess.world import seen


def compared(*observations: Observation) -> list[str | None]:
    """For each observation the last digit of what it is compared with; None where nothing changed."""
    standing: BaseStanding | None = None
    found: list[str | None] = []
    for observation in observations:
        standing, before = follow(standing, observation)
        found.append(before.digest[-1] if before is not None and before.digest else None)
    return found


def test_first_sight_is_no_change() -> None:
    assert compared(seen("1")) == [None]


def test_the_same_digest_again_is_no_change() -> None:
    assert compared(seen("1"), seen("1"), seen("2")) == [None, None, "1"]


def test_a_base_that_comes_back_is_compared_with_what_it_was_before() -> None:
    assert compared(seen("1"), seen(None), seen("2")) == [None, "1", "1"]


def test_a_base_that_comes_back_unchanged_is_compared_too() -> None:
    assert compared(seen("1"), seen(None), seen("1"), seen("1")) == [None, "1", "1", None]


def test_a_withdrawal_counts_once_and_only_of_what_was_seen() -> None:
    assert compared(seen(None), seen("1"), seen(None), seen(None)) == [None, None, "1", None]
