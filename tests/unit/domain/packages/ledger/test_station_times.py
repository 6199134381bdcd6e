"""How long a fix took from one station of the ledger to the next."""

from datetime import timedelta

from bot.domain.packages.ledger.entries import StationTime


def test_what_took_no_time_was_at_once() -> None:
    assert StationTime(7, timedelta()).told == "at once (7)"


def test_a_length_is_told_with_what_it_is_the_median_of() -> None:
    assert StationTime(33, timedelta(hours=42, minutes=6)).told == "42 h (33)"
    assert StationTime(412, timedelta(hours=2), of_rebuilds=True).told == "2 h (412 rebuilds)"
