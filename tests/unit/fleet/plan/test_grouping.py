from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause
from bot.domain.reference import Base
from bot.domain.rollouts.rollout import OpenRollout
from bot.fleet.plan.grouping import PUBLICATION, group
from tests.unit.fleet.plan.world import ASPNET, HOUR, MCR, NOON, SDK, move


def rollout(**values: object) -> OpenRollout:
    known = {"id": 5, "opened_at": NOON, "causes": (Cause.DOTNET_RELEASE,), "bases": (SDK,)}
    return OpenRollout(**(known | values))  # type: ignore[arg-type]


def ids(*args: object) -> list[tuple[int | None, list[int]]]:
    return [(found.joins, [each.id for each in found.moves]) for found in group(*args)]  # type: ignore[arg-type]


def test_what_came_with_one_publication_belongs_together() -> None:
    assert ids([move(ASPNET, id=1), move(SDK, id=2, at=NOON + HOUR)], [], NOON + HOUR) == [(None, [1, 2])]


def test_what_came_later_is_a_publication_of_its_own() -> None:
    later = NOON + PUBLICATION
    assert ids([move(ASPNET, id=1), move(SDK, id=2, at=later)], [], later) == [(None, [1]), (None, [2])]


def test_updates_of_the_system_are_no_part_of_a_dotnet_release() -> None:
    moves = [move(ASPNET, id=1), move(SDK, Cause.OS_UPDATE, id=2)]
    assert ids(moves, [], NOON) == [(None, [1]), (None, [2])]


def test_a_base_that_moves_twice_opens_a_second_rollout() -> None:
    moves = [move(ASPNET, id=1), move(ASPNET, id=2, at=NOON + HOUR)]
    assert ids(moves, [], NOON + HOUR) == [(None, [1]), (None, [2])]


def test_a_late_part_of_a_publication_joins_its_open_rollout() -> None:
    assert ids([move(ASPNET, at=NOON + HOUR)], [rollout()], NOON + HOUR) == [(5, [1])]


def test_a_rollout_takes_no_base_twice_no_other_kind_and_nothing_after_its_publication() -> None:
    assert ids([move(SDK, at=NOON + HOUR)], [rollout()], NOON + HOUR) == [(None, [1])]
    assert ids([move(ASPNET, Cause.OS_UPDATE)], [rollout()], NOON) == [(None, [1])]
    late = NOON + PUBLICATION
    assert ids([move(ASPNET, at=late)], [rollout()], late) == [(None, [1])]


def test_what_a_clock_that_was_ahead_has_opened_takes_nothing_in() -> None:
    ahead = rollout(opened_at=NOON + timedelta(days=365))
    assert ids([move(ASPNET)], [ahead], NOON) == [(None, [1])]


def test_the_newest_rollout_is_joined_first() -> None:
    older = rollout(id=4, opened_at=NOON - HOUR, bases=())
    assert ids([move(ASPNET)], [older, rollout()], NOON) == [(5, [1])]


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(Cause), st.integers(0, 300)).map(
            lambda item: (Base(MCR, item[0], "1"), item[1], NOON + timedelta(minutes=item[2]))
        ),
        max_size=12,
    )
)
def test_every_change_is_in_exactly_one_group(items: list[tuple[Base, Cause, object]]) -> None:
    moves = [move(base, cause, id=n, at=at) for n, (base, cause, at) in enumerate(items)]  # type: ignore[arg-type]
    groups = group(moves, [], NOON + 6 * HOUR)
    assert sorted(each.id for found in groups for each in found.moves) == list(range(len(moves)))
    for found in groups:
        bases = [each.change.base for each in found.moves]
        assert len(set(bases)) == len(bases)
        assert found.moves[-1].change.at - found.moves[0].change.at < PUBLICATION
    assert group(list(reversed(moves)), [], NOON + 6 * HOUR) == groups or len({m.change.at for m in moves}) < len(
        moves
    )


def test_a_change_that_is_planned_once_more_stays_with_its_rollout() -> None:
    again = [replace(move(ASPNET, id=1), rollout=5), replace(move(ASPNET, id=2), rollout=5)]
    other = replace(move(SDK, id=3), rollout=4)
    assert ids([*again, other, move(ASPNET, id=9)], [], NOON) == [(4, [3]), (5, [1, 2]), (None, [9])]


def test_a_rollout_that_began_longer_ago_takes_none_in_however_early_the_change_was() -> None:
    """Its waves have begun."""
    assert ids([move(ASPNET, at=NOON + HOUR)], [rollout()], NOON + PUBLICATION) == [(None, [1])]


def test_a_rollout_of_several_causes_is_of_dotnet_where_one_of_them_is() -> None:
    mixed = rollout(causes=(Cause.OS_UPDATE, Cause.DOTNET_RELEASE))
    assert ids([move(ASPNET)], [mixed], NOON) == [(5, [1])]
    assert ids([move(ASPNET, Cause.CHANNEL_MOVE)], [mixed], NOON) == [(5, [1])]
