"""Waves, soaks, budgets, merging and the weekly guarantee, played on what was known when."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest.assumptions import Assumptions, Length
from bot.backtest.deciding import Deciding
from bot.backtest.fleet import ReplayedFleet, Use
from bot.backtest.planner import Deed
from bot.backtest.replay import Offer
from bot.backtest.rolling import Rolling
from bot.backtest.running import carried_out, is_played
from bot.domain.bases.change import Cause, Change
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import Freeze
from tests.unit.backtest.world import HOUR, change, use
from tests.unit.fleet.assess.world import DAY

MINUTE = timedelta(minutes=1)
WAVES = (Wave("canary", soak=4 * HOUR), Wave("rest"))
RULES = (PolicyRule(Match(repositories=("canary-*",)), wave="canary"), PolicyRule(settle=timedelta()))
IN_WAVES = Policy(RULES, WAVES)
TAKES = Assumptions(Length(10 * MINUTE), Length(2 * HOUR))


def fleet(*names: str, pinned: bool = False) -> ReplayedFleet:
    return ReplayedFleet.of([use(name, "aspnet:8.0", pinned=pinned) for name in names])


def played(
    *changes: Change,
    of: ReplayedFleet,
    policy: Policy = IN_WAVES,
    takes: Assumptions = TAKES,
    until: datetime | None = None,
) -> tuple[Rolling, list[Deed]]:
    rolling = Rolling(of, policy, assumptions=takes, until=until)
    done: list[Deed] = []
    for one in changes:
        done += rolling.due(one.at - timedelta(seconds=1))
        rolling.offer(one, one.at)
    return rolling, done + list(rolling.due(DAY + timedelta(days=60)))


def began(deeds: list[Deed]) -> dict[str, timedelta]:
    return {deed.repository: deed.at - DAY for deed in deeds}


def next_digest(at: timedelta, letter: str, **values: object) -> Change:
    return replace(change(at), to_digest=f"sha256:{letter * 64}", **values)  # type: ignore[arg-type]


def test_the_next_wave_begins_when_the_one_before_has_been_built_and_has_soaked() -> None:
    _, deeds = played(change(), of=fleet("canary-a", "b"))
    assert began(deeds) == {"canary-a": timedelta(), "b": 10 * MINUTE + 4 * HOUR}


def test_a_repository_is_patched_when_its_build_ends() -> None:
    rolling, _ = played(change(), of=fleet("canary-a", "b"))
    assert sorted(rolling.patched.values()) == [10 * MINUTE, 20 * MINUTE + 4 * HOUR]


def test_a_rule_may_shorten_the_soak() -> None:
    severe = PolicyRule(Match(min_severity=Severity.HIGH), soak=HOUR)
    fix = replace(change(cause=Cause.DOTNET_SECURITY), severity=Severity.HIGH)
    _, deeds = played(fix, of=fleet("canary-a", "b"), policy=replace(IN_WAVES, rules=(severe, *RULES)))
    assert began(deeds)["b"] == 10 * MINUTE + HOUR


def test_no_more_than_a_batch_is_under_way() -> None:
    waves = (Wave("rest", batch=2),)
    _, deeds = played(change(), of=fleet("a", "b", "c", "d", "e"), policy=Policy(RULES[1:], waves))
    assert [deed.at - DAY for deed in deeds] == [n * 10 * MINUTE for n in (0, 0, 1, 1, 2)]


def test_pull_requests_that_nobody_merges_hold_the_next_wave_for_as_long_as_it_waits() -> None:
    waves = (Wave("canary", wait_at_most=6 * HOUR), Wave("rest"))
    slow = replace(TAKES, merge=Length(timedelta(days=9)))
    _, deeds = played(change(), of=fleet("canary-a", "b", pinned=True), policy=Policy(RULES, waves), takes=slow)
    assert began(deeds)["b"] == 6 * HOUR


@pytest.mark.parametrize(
    ("method", "takes"),
    [(MergeMethod.SQUASH, 20 * MINUTE), (MergeMethod.NEVER, 2 * HOUR + 10 * MINUTE)],
)
def test_what_merges_by_itself_waits_for_its_checks_alone(method: MergeMethod, takes: timedelta) -> None:
    policy = Policy((PolicyRule(settle=timedelta(), auto_merge=AutoMerge(method)),))
    rolling, _ = played(change(), of=fleet("a", pinned=True), policy=policy)
    assert list(rolling.patched.values()) == [takes]


def test_content_keeps_within_the_minute_and_the_hour() -> None:
    names = [f"r{number:04}" for number in range(130)]
    takes = replace(TAKES, content_per_minute=20, content_per_hour=100)
    rolling, deeds = played(change(), of=fleet(*names, pinned=True), policy=Policy(RULES[1:]), takes=takes)
    at = [deed.at for deed in deeds]
    assert all(at[n + 20] - at[n] >= MINUTE for n in range(len(at) - 20))
    assert all(at[n + 100] - at[n] >= HOUR for n in range(len(at) - 100))
    assert at[-1] - DAY == HOUR + MINUTE
    assert rolling.waited_for_budget == HOUR + MINUTE


def test_dispatches_are_no_content() -> None:
    takes = replace(TAKES, content_per_minute=1, content_per_hour=1)
    _, deeds = played(change(), of=fleet("a", "b"), policy=Policy(RULES[1:]), takes=takes)
    assert {deed.at for deed in deeds} == {DAY}


def test_of_a_short_budget_the_severe_fix_goes_first() -> None:
    severe = replace(change(of="runtime:8.0", cause=Cause.DOTNET_SECURITY), severity=Severity.CRITICAL)
    uses = [use("a", "aspnet:8.0", pinned=True), use("z", "runtime:8.0", pinned=True)]
    takes = replace(TAKES, content_per_minute=1)
    _, deeds = played(
        replace(change(), cause=Cause.DOTNET_RELEASE),
        severe,
        of=ReplayedFleet.of(uses),
        policy=Policy(RULES[1:]),
        takes=takes,
    )
    assert [deed.repository for deed in deeds] == ["z", "a"]


def test_nothing_begins_in_a_freeze() -> None:
    freeze = Freeze(DAY - HOUR, DAY + 9 * HOUR, "closing")
    _, deeds = played(change(), of=fleet("canary-a"), policy=replace(IN_WAVES, freezes=(freeze,)))
    assert began(deeds) == {"canary-a": 9 * HOUR}


def test_a_move_in_between_starts_with_the_first_wave_again_and_saves_the_later_ones_a_run() -> None:
    rolling, deeds = played(change(), next_digest(3 * HOUR, "3"), of=fleet("canary-a", "b"))
    assert [(deed.repository, deed.at - DAY) for deed in deeds] == [
        ("canary-a", timedelta()),
        ("canary-a", 3 * HOUR),
        ("b", 7 * HOUR + 10 * MINUTE),
    ]
    assert rolling.runs == 3


def test_with_a_move_every_three_hours_each_wave_is_reached_within_soaks_and_one_wait() -> None:
    moves = [next_digest(n * 3 * HOUR, "3456789abcdef"[n % 13]) for n in range(40)]
    _, deeds = played(*moves, of=fleet("canary-a", "b"))
    first = next(deed for deed in deeds if deed.repository == "b")
    assert first.at - DAY <= 4 * HOUR + timedelta(days=1)


def test_what_would_grow_too_old_is_built_weekly() -> None:
    policy = Policy((PolicyRule(max_age=timedelta(days=7), settle=timedelta()),))
    rolling, deeds = played(change(), of=fleet("a"), policy=policy, until=DAY + timedelta(days=28))
    weekly = [deed for deed in deeds if not deed.changes]
    assert rolling.weekly_runs == len(weekly) == 4
    assert all(later.at - earlier.at == timedelta(days=7) for earlier, later in pairwise(weekly))
    assert {deed.reason for deed in weekly} == {"the weekly rebuild is due"}


def test_what_is_not_guaranteed_is_not_built_for_its_age() -> None:
    rolling, _ = played(change(), of=fleet("a"), until=DAY + timedelta(days=28))
    assert rolling.weekly_runs == 0


@pytest.mark.parametrize(
    ("policy", "played_out"),
    [
        (Policy(), False),
        (IN_WAVES, True),
        (Policy((PolicyRule(max_age=HOUR),)), True),
        (Policy((PolicyRule(auto_merge=AutoMerge(MergeMethod.MERGE)),)), True),
        (Policy((PolicyRule(auto_merge=AutoMerge()),)), False),
    ],
)
def test_a_policy_is_played_where_it_asks_for_more_than_rebuilds(policy: Policy, played_out: bool) -> None:
    assert is_played(policy) is played_out


BOTH: tuple[Use, ...] = (
    use("canary-a", "aspnet:8.0"),
    use("b", "aspnet:8.0", pinned=True),
    use("b", "sdk:8.0", pinned=True),
    use("c", "sdk:8.0", workflow=False),
)
moves = st.lists(
    st.builds(
        lambda at, of, cause: change(at, cause, of),
        st.timedeltas(timedelta(), timedelta(days=3)).map(lambda at: at - at % MINUTE),
        st.sampled_from(["aspnet:8.0", "sdk:8.0"]),
        st.sampled_from([Cause.OS_UPDATE, Cause.LAYERS_ONLY, Cause.DOTNET_RELEASE]),
    ),
    max_size=6,
    unique_by=lambda one: (one.at, one.base),
).map(lambda found: sorted(found, key=lambda one: (one.at, one.base)))
once_each = moves.filter(lambda found: len({one.base for one in found}) == len(found))
"""Where no base moves twice."""


@given(moves)
def test_with_one_wave_and_nothing_that_takes_time_it_is_the_plain_planner(found: list[Change]) -> None:
    uses = ReplayedFleet.of(BOTH)
    policy = Policy((PolicyRule(settle=2 * HOUR),))
    none = Assumptions(Length(timedelta()), Length(timedelta()), content_per_minute=10**6, content_per_hour=10**6)
    offers = [Offer(one.at, place, one) for place, one in enumerate(found)]
    plain = carried_out(Deciding(uses, policy), offers)
    rolled = carried_out(Rolling(uses, policy, assumptions=none), offers)
    assert (rolled.actions, sorted(rolled.other)) == (plain.actions, sorted(plain.other))


@given(moves, st.sampled_from([timedelta(), HOUR, 9 * HOUR]), st.integers(1, 3))
def test_every_change_is_patched_everywhere(found: list[Change], soak: timedelta, batch: int) -> None:
    policy = Policy(RULES, (Wave("canary", soak, batch), Wave("rest", batch=batch)))
    rolling, _ = played(*found, of=ReplayedFleet.of(BOTH), policy=policy)
    concerned = {"aspnet:8.0": 2, "sdk:8.0": 2}
    assert len(rolling.patched) == sum(concerned[one.base.short] for one in found)


@given(once_each, st.integers(1, 2), st.integers(2, 3))
def test_no_budget_is_exceeded(found: list[Change], per_minute: int, per_hour: int) -> None:
    takes = replace(TAKES, content_per_minute=per_minute, content_per_hour=per_hour)
    _, deeds = played(*found, of=ReplayedFleet.of(BOTH), policy=Policy(RULES[1:]), takes=takes)
    opened = new_pull_requests(deeds, takes)
    for most, span in ((per_minute, MINUTE), (per_hour, HOUR)):
        assert all(later - earlier >= span for earlier, later in zip(opened, opened[most:], strict=False))


def new_pull_requests(deeds: Iterable[Deed], takes: Assumptions) -> list[datetime]:
    """When each was opened; what joins one that is not merged yet is an update of it, which no budget bounds."""
    opened: dict[str, list[datetime]] = {}
    for deed in sorted(deeds, key=lambda deed: deed.at):
        if deed.action is Action.PULL_REQUEST:
            mine = opened.setdefault(deed.repository, [])
            if not mine or deed.at - mine[-1] > takes.merge.value:
                mine.append(deed.at)
    return sorted(at for mine in opened.values() for at in mine)
