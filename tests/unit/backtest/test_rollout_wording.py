from dataclasses import replace
from datetime import timedelta

import pytest

from bot.backtest.assumptions import BUILD, MERGE, Assumptions, Length
from bot.backtest.rendering.wording import rollout_lines, spelled
from bot.backtest.report import Patched, RolloutFigures

HOUR = timedelta(hours=1)
FIGURES = RolloutFigures(
    rollouts=3,
    runs=100,
    weekly_runs=0,
    runs_at_once=141,
    security=Patched.of([HOUR, 2 * HOUR, timedelta(hours=3, minutes=10)]),
    other=Patched.of([]),
    waited_for_budget=timedelta(),
    assumptions=Assumptions(Length.of(timedelta(minutes=7), (), BUILD), Length.of(None, (), MERGE)),
)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=12), "12 s"),
        (timedelta(minutes=36), "36 min"),
        (timedelta(hours=3, minutes=10), "3 h 10 min"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=2, hours=5, minutes=9), "2 days 5 h"),
    ],
)
def test_lengths_are_spelled_to_the_minute(length: timedelta, text: str) -> None:
    assert spelled(length) == text


def test_the_answer_stands_beside_what_it_rests_on() -> None:
    said = list(rollout_lines(FIGURES))
    assert said[0] == "3 rollouts, 100 runs; 41 runs fewer than building on each change at once."
    assert said[1].startswith("Security fixes: 50 % patched in 2 h, 95 % in 3 h 10 min, all in 3 h 10 min")
    assert said[2] == "Everything else: none."
    assert "A build takes 7 min (as given), a person merges after 4 h (assumed)" in said[3]


def test_what_costs_runs_and_waits_is_told_too() -> None:
    said = list(rollout_lines(replace(FIGURES, runs=150, weekly_runs=60, waited_for_budget=HOUR)))
    assert said[0].startswith("3 rollouts, 150 runs, 60 of them for their age alone; 9 runs more than")
    assert said[3] == "The write budget kept a rebuild waiting for 1 h at most."


def test_ones_own_history_counts_where_there_is_enough_of_it() -> None:
    own = [timedelta(minutes=minutes) for minutes in (5, 6, 7, 8, 90)]
    assert Length.of(None, own, BUILD) == Length(timedelta(minutes=7), "the median of 5 of your own")
    assert Length.of(None, own[:4], BUILD) == Length(BUILD, "assumed")
    assert Length.of(HOUR, own, BUILD) == Length(HOUR, "as given")
