"""How long a mirror took, summed up."""

from datetime import timedelta

from bot.views.bases.mirrors import took_of

MINUTE = timedelta(minutes=1)


def test_nothing_measured_is_nothing_told() -> None:
    assert took_of([]) is None


def test_ninety_five_of_a_hundred_are_within_what_is_told() -> None:
    found = took_of([number * MINUTE for number in range(100, 0, -1)])
    assert found is not None
    assert (found.measured, found.median, found.most, found.worst) == (100, 51 * MINUTE, 95 * MINUTE, 100 * MINUTE)


def test_of_few_the_longest_is_told() -> None:
    found = took_of([MINUTE, 3 * MINUTE])
    assert found is not None
    assert found.most == found.worst == 3 * MINUTE
