"""Which bases `status` shows, and how it counts the others."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, RebuildState, Target
from bot.views.bases.mirrors import MirrorStatus
from bot.views.fleet.status import MOST_SHOWN, BaseStatus, Status, Urgency, bases_in_short
from tests.builders import NOON, rebuild

LONG_AGO = NOON - timedelta(days=30)


def base(tag: str, moved_at: datetime | None = LONG_AGO, error: str | None = None) -> BaseStatus:
    named = Base("mcr.microsoft.com", "dotnet/aspnet", tag)
    return BaseStatus(named, "sha256:1", "10.0.1", moved_at, 3, error)


def on(found: BaseStatus, state: RebuildState, id_: int) -> Rebuild:
    return rebuild(state=state, id=id_, targets=(Target(found.base, None, "sha256:1", ()),))


def status(*bases: BaseStatus, rebuilds: tuple[Rebuild, ...] = ()) -> Status:
    return Status(3, (), bases, rebuilds, (), (), ())


def test_trouble_comes_first_then_most_rebuilds_under_way_then_what_moved_last() -> None:
    quiet, moved, later = base("a"), base("b", NOON - timedelta(days=6)), base("c", NOON - timedelta(days=1))
    one, two, broken = base("d"), base("e"), base("f", error="HTTP 503")
    some = (on(one, RebuildState.OPEN, 1), on(two, RebuildState.PLANNED, 2), on(two, RebuildState.RUNNING, 3))
    short = bases_in_short(status(quiet, moved, later, one, two, broken, rebuilds=some), NOON)
    assert short.shown == (broken, two, one, later, moved)
    assert short.rest == {Urgency.QUIET: 1}


def test_what_was_never_seen_or_is_behind_in_a_mirror_is_in_trouble() -> None:
    unseen = replace(base("a", None), digest=None)
    uncompared = replace(base("b"), mirror=MirrorStatus("upstream", None, None))
    assert set(bases_in_short(status(unseen, uncompared, base("c")), NOON).shown) == {unseen, uncompared}


def test_rebuilds_that_have_ended_hold_no_base_on_the_screen() -> None:
    done = base("a")
    assert bases_in_short(status(done, rebuilds=(on(done, RebuildState.SUCCEEDED, 1),)), NOON).shown == ()


def test_on_a_patch_day_of_all_bases_the_rest_is_counted_by_how_it_stands() -> None:
    moved = [base(f"moved-{number}", NOON) for number in range(200)]
    broken = [base(f"broken-{number}", error="HTTP 503") for number in range(20)]
    short = bases_in_short(status(*moved, *broken), NOON)
    assert len(short.shown) == MOST_SHOWN
    assert short.rest == {Urgency.TROUBLED: 20 - MOST_SHOWN, Urgency.MOVED: 200}
