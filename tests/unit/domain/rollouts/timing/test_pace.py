"""When the last pull request of a rollout will probably be open."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.feeds.advisory import Severity
from bot.domain.host import Host
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.timing.pace import Pace, Spending, WriteLimits, opened_by
from bot.domain.rollouts.timing.waiting import RolloutOptions, RolloutStanding, Waiting, Waits
from bot.domain.rollouts.timing.waves import Wave, WaveTally

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ANY = Pace()
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def waiting(
    number: int, *, rollout: int = 1, owner: str = "contoso", wave: str = "rest", **values: object
) -> Waiting:
    known: dict[str, object] = {
        "severity": None,
        "due_at": NOON,
        "waits_since": NOON,
        "is_released": True,
        "repository": f"{owner}/shop-{number}",
    }
    return Waiting(number, rollout, wave, **(known | values))  # type: ignore[arg-type]


def through(
    *waits: Waiting,
    spent: int = 0,
    pace: Pace = ANY,
    pauses: tuple[Pause, ...] = (),
    standing: tuple[RolloutStanding, ...] = (),
) -> dict[int, timedelta]:
    spending = Spending(pace.limits)
    spending.spend(NOON, spent)
    found = opened_by(Waits(waits, standing, pauses), {"contoso/": spending}, pace, NOON)
    return {rollout: at - NOON for rollout, at in found.items()}


def test_a_thousand_pull_requests_are_open_within_two_hours_and_ten_minutes() -> None:
    [(_, took)] = through(*(waiting(number) for number in range(1_000))).items()
    assert 2 * HOUR < took <= 2 * HOUR + 10 * MINUTE


def test_what_was_made_within_the_hour_counts() -> None:
    assert through(waiting(1), spent=480) == {1: HOUR}


def test_each_owner_has_a_budget_of_its_own() -> None:
    few = Pace(limits=WriteLimits(per_minute=60, per_hour=1))
    assert through(waiting(1), waiting(2, owner="fabrikam"), pace=few) == {1: timedelta(0)}
    assert through(waiting(1), waiting(2), pace=few) == {1: HOUR}


def test_a_dispatch_costs_no_content() -> None:
    assert through(waiting(1, opens=False), spent=480) == {1: timedelta(0)}


def test_what_another_forge_lists_waits_for_turns_of_its_own() -> None:
    waits = waiting(1), waiting(2), waiting(3, rollout=2, forge="azure-devops")
    for forges in ({"azure-devops": Host("dev.azure.com")}, {}):
        assert through(*waits, pace=Pace(forges=forges))[2] == timedelta(0)
    assert through(*waits[:2], waiting(3, rollout=2))[2] == timedelta(seconds=2)


def test_a_dispatch_elsewhere_waits_for_no_turn_of_the_forge() -> None:
    waits = waiting(1), waiting(2), waiting(3, opens=False, rollout=2)
    assert through(*waits)[2] == timedelta(seconds=2)
    assert through(*waits, pace=Pace(builder=Host("dev.azure.com")))[2] == timedelta(0)


def test_a_severe_rollout_goes_first() -> None:
    few = Pace(limits=WriteLimits(per_minute=60, per_hour=1))
    severe = waiting(2, rollout=2, severity=Severity.CRITICAL)
    assert through(waiting(1), severe, pace=few) == {1: HOUR, 2: timedelta(0)}


def test_what_waits_for_its_wave_begins_then() -> None:
    waves = (Wave("canary", soak=2 * HOUR), Wave("rest"))
    tallies = {
        "canary": WaveTally(ended=1, began_at=NOON, done_since=NOON, last_end=NOON),
        "rest": WaveTally(waiting=1),
    }
    found = through(
        waiting(1, is_released=False), pace=Pace(RolloutOptions(waves)), standing=(RolloutStanding(1, tallies),)
    )
    assert found == {1: 2 * HOUR}


def test_what_was_let_begin_waits_for_no_wave() -> None:
    waves = (Wave("canary", soak=2 * HOUR), Wave("rest"))
    tallies = {"canary": WaveTally(under_way=1, began_at=NOON), "rest": WaveTally(waiting=1)}
    standing = (RolloutStanding(1, tallies),)
    assert through(waiting(1), pace=Pace(RolloutOptions(waves)), standing=standing) == {1: timedelta(0)}


def test_a_pause_holds_its_own_rollout_and_not_what_a_person_asked_for() -> None:
    pause = Pause(1, 1, NOON, "operator", "looks odd")
    asked = waiting(1, at_request=True)
    assert through(asked, waiting(2, rollout=2), pauses=(pause,)).keys() == {1, 2}
    everything = replace(pause, rollout=None)
    assert through(asked, waiting(2, rollout=2), pauses=(everything,)) == {}


def test_nobody_can_tell_of_a_rollout_where_one_rebuild_waits_without_an_end() -> None:
    """Paused are those that nobody asked for; the others of it begin."""
    pause = Pause(1, 1, NOON, "operator", "looks odd")
    assert through(waiting(1, at_request=True), waiting(2), pauses=(pause,)) == {}


def test_nobody_can_tell_while_it_is_paused() -> None:
    pause = Pause(1, 1, NOON, "operator", "looks odd")
    assert through(waiting(1, is_released=False), pauses=(pause,)) == {}


def test_what_a_person_keeps_is_not_waited_for() -> None:
    assert through(waiting(1), waiting(2, kept_because="not today")) == {1: timedelta(0)}
