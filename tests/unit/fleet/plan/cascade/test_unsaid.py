"""What is not said of own bases and of what stands on them is not known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.fleet.plan.cascade.decisions import Cascade, Due, Passed, RebuildProgress, Unseen, Wait
from bot.fleet.plan.cascade.frontier import JOIN_TIMEOUT
from bot.fleet.plan.cascade.graph import Graph, Image
from bot.fleet.plan.cascade.parts import RepositoryImages
from bot.fleet.plan.cascade.shown import LastBuild, Shown, Together
from bot.fleet.plan.cascade.tick import CascadeInput, CascadeTally
from tests.unit.fleet.plan.cascade.world import NOON, own


def test_of_a_rebuild_that_is_due_nothing_else_is_told() -> None:
    due = Due(1, frozenset())
    assert due == replace(due, since=None, together=None, made_at=None)
    assert (due.is_severe, due.went_ahead) == (False, False)


def test_who_passes_or_waits_does_so_for_no_other_reason() -> None:
    assert (Passed().remark, Passed().is_ahead) == ("", False)
    wait = Wait((own(1),), 1, NOON)
    assert (wait.blocked_by, wait.behind, wait.is_gated) == (None, (), False)
    assert Unseen(NOON).reason == "waits until it was looked at whether the last build has made this too"


def test_where_nothing_is_known_nothing_is_decided() -> None:
    assert Cascade() == Cascade({}, {}, {}, frozenset())
    assert (Graph().parents, Graph().cycles) == ({}, ())
    assert (Image(1).name, RepositoryImages(1).bases, LastBuild(None, ()).built_at) == ("", {}, None)
    assert CascadeTally() == CascadeTally(0, 0, 0, 0)
    assert timedelta(hours=2) == JOIN_TIMEOUT


def test_of_a_fleet_nothing_is_there_waits_or_is_held_back() -> None:
    fleet = CascadeInput(7)
    assert fleet == replace(fleet, links=(), names={}, progress={}, dues={}, held_rebuilds=frozenset(), builds={})
    assert fleet == replace(fleet, bases_of={}, digests={}, moved={}, behind={}, gated=frozenset(), beginnings={})
    assert (fleet.is_settled, fleet.held_rebuilds, fleet.gated) == (True, frozenset(), frozenset())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (RebuildProgress, "settled due under-way failed"),
        (Shown, "proved claimed untold old idle"),
        (Together, "yes no unseen"),
    ],
)
def test_the_words_that_logs_hold_stay(
    words: type[RebuildProgress] | type[Shown] | type[Together], told: str
) -> None:
    assert [str(each).replace(" ", "-") for each in words] == told.split()
