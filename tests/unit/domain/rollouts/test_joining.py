"""What is said of a run of others, and of the rebuild that follows it."""

from datetime import timedelta

import pytest

from bot.domain.builder.runs import Run
from bot.domain.rollouts.after_build import join, leave_run, not_ended
from bot.domain.rollouts.rebuild import Action, Joined, RebuildState
from tests.unit.fleet.act.world import NOON, rebuild

RUN = Run(5, "https://forge/5", "in_progress", None, NOON, node_id="CS_5", number=412)
PLANNED = rebuild(Action.DISPATCH, url="https://forge/before")


def test_a_rebuild_follows_the_run_from_when_that_began() -> None:
    joined = join(PLANNED, RUN, now=NOON + timedelta(minutes=9))
    assert (joined.state, joined.joined, joined.follows_others) == (
        RebuildState.DISPATCHED,
        Joined.FOLLOWED,
        True,
    )
    assert (joined.attempted_at, joined.run, joined.run_number, joined.node_id) == (NOON, 5, 412, "CS_5")
    assert (joined.url, joined.reason) == ("https://forge/5", "run 412 of 12:00 builds it already")


def test_a_run_without_an_address_leaves_the_one_that_was_known() -> None:
    assert join(PLANNED, Run(5, "", "queued", None), now=NOON).url == "https://forge/before"


@pytest.mark.parametrize(("number", "name"), [(412, "run 412"), (None, "run 5")])
def test_a_run_whose_beginning_is_not_told_is_named_without_it(number: int | None, name: str) -> None:
    joined = join(PLANNED, Run(5, "", "queued", None, number=number), now=NOON)
    assert joined.reason == f"{name} builds it already"
    assert not_ended(joined, "is under way") == f"{name} builds it already, and is under way"


def test_of_a_run_of_its_own_no_number_is_told() -> None:
    assert not_ended(PLANNED, "is under way") == "the run is under way"


@pytest.mark.parametrize(("how", "then"), [(Joined.IN_VAIN, "it is dispatched"), (Joined.GONE, "it is begun anew")])
def test_what_was_not_brought_says_what_comes_next(how: Joined, then: str) -> None:
    after = leave_run(join(PLANNED, RUN, now=NOON), "it was cancelled", how, now=NOON + timedelta(hours=1))
    assert (after.state, after.joined, after.ended_at) == (
        RebuildState.SUPERSEDED,
        how,
        NOON + timedelta(hours=1),
    )
    assert after.reason == f"run 412 of 12:00 did not bring it: it was cancelled; {then}"
