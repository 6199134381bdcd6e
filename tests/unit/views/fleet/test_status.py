"""What `plan` shows of the rebuilds that `status` counts."""

from datetime import timedelta

from bot.domain.rollouts.rebuild import RebuildState
from bot.views.fleet.status import Status
from tests.builders import NOON, rebuild


def test_what_is_ahead_comes_in_the_order_in_which_it_is_due() -> None:
    later = rebuild(id=1, state=RebuildState.PLANNED, due_at=NOON + timedelta(hours=2))
    sooner = rebuild(id=2, state=RebuildState.WAITING, due_at=NOON + timedelta(hours=1))
    begun = rebuild(id=3, state=RebuildState.OPEN, due_at=NOON)
    assert Status(3, (), (), (later, sooner, begun), (), (), ()).ahead == (sooner, later)
