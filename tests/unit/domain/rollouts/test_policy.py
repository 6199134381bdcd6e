from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.policy import ActionPreference, Match, Policy, PolicyRule, Terms
from bot.domain.rollouts.terms import NEVER, AutoMerge, MergeMethod, Pin
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import Window

ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
NIGHT = (Window.parse("mon-sun 01:00-03:00"),)


def terms(*rules: PolicyRule, cause: Cause = Cause.OS_UPDATE, severity: Severity | None = None) -> Terms:
    return Policy(rules).terms("contoso/payments-api", ASPNET, cause, severity)


def test_without_rules_the_defaults_hold() -> None:
    assert terms() == Terms()


def test_the_first_matching_rule_wins_and_later_ones_fill_its_gaps() -> None:
    found = terms(
        PolicyRule(wave="canary"), PolicyRule(wave="rest", workflow="mine.yml"), PolicyRule(workflow="other.yml")
    )
    assert (found.wave, found.workflow, found.action) == ("canary", "mine.yml", ActionPreference.AUTO)


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        (Match(), True),
        (Match(repositories=("contoso/payments-*",)), True),
        (Match(repositories=("contoso/shop", "contoso/payments-*")), True),
        (Match(repositories=("contoso/shop",)), False),
        (Match(repositories=("Contoso/Payments-*",)), True),
        (Match(bases=("mcr.microsoft.com/dotnet/*",)), True),
        (Match(bases=("*:9.0",)), False),
        (Match(causes=(Cause.OS_UPDATE,)), True),
        (Match(causes=(Cause.DOTNET_SECURITY,)), False),
        (Match(min_severity=Severity.LOW), False),
        (Match(repositories=("contoso/*",), bases=("*:9.0",)), False),
    ],
)
def test_every_condition_that_is_set_must_hold(match: Match, holds: bool) -> None:
    assert (terms(PolicyRule(match, wave="found")).wave == "found") is holds


def test_a_rule_for_an_owner_at_one_forge_takes_in_nothing_of_an_organisation_of_that_name_at_another() -> None:
    assert not Match(repositories=("contoso/*",)).accepts_repository("contoso/team/desk")
    assert Match(repositories=("Contoso/*/*",)).accepts_repository("contoso/Team/desk")
    assert Match(repositories=("*",)).accepts_repository("contoso/team/desk")


@pytest.mark.parametrize("least", Severity, ids=str)
@pytest.mark.parametrize("rated", Severity, ids=str)
def test_a_severity_is_a_lower_bound(least: Severity, rated: Severity) -> None:
    found = terms(PolicyRule(Match(min_severity=least), wave="found"), cause=Cause.DOTNET_SECURITY, severity=rated)
    assert (found.wave == "found") is (rated.rank >= least.rank)


@pytest.mark.parametrize(
    ("cause", "severity", "settle"),
    [
        (Cause.DOTNET_SECURITY, Severity.CRITICAL, 0),
        (Cause.DOTNET_SECURITY, Severity.HIGH, 0),
        (Cause.DOTNET_SECURITY, Severity.MODERATE, 6),
        (Cause.DOTNET_SECURITY, None, 6),
        (Cause.OS_UPDATE, Severity.CRITICAL, 6),
    ],
)
def test_a_severe_security_fix_skips_settling(cause: Cause, severity: Severity | None, settle: int) -> None:
    assert terms(cause=cause, severity=severity).settle == timedelta(hours=settle)


def test_a_settle_time_that_the_operator_wrote_holds_for_severe_fixes_too() -> None:
    rule = PolicyRule(settle=timedelta(hours=2))
    assert terms(rule, cause=Cause.DOTNET_SECURITY, severity=Severity.CRITICAL).settle == timedelta(hours=2)


def test_no_time_and_no_window_are_wishes_too() -> None:
    found = terms(PolicyRule(settle=timedelta(0), windows=()), PolicyRule(settle=timedelta(hours=3), windows=NIGHT))
    assert (found.settle, found.windows) == (timedelta(0), ())


rules_of = st.lists(
    st.builds(
        PolicyRule,
        st.builds(Match, causes=st.sampled_from([(), (Cause.OS_UPDATE,), (Cause.DOTNET_RELEASE,)])),
        action=st.none() | st.sampled_from(ActionPreference),
        wave=st.none() | st.sampled_from(["canary", "rest"]),
    ),
    max_size=5,
)


@given(rules_of)
def test_rules_that_do_not_match_change_nothing(rules: list[PolicyRule]) -> None:
    matching = [rule for rule in rules if Cause.DOTNET_RELEASE not in rule.match.causes]
    assert terms(*rules) == terms(*matching)


SQUASH = AutoMerge(MergeMethod.SQUASH, (Cause.OS_UPDATE,))
WAVES = (Wave("canary", timedelta(hours=4)), Wave("early", timedelta(hours=1)), Wave("rest"))


def test_who_is_in_no_wave_belongs_to_the_last() -> None:
    found = Policy((), WAVES[:2]).terms("contoso/shop", ASPNET, Cause.OS_UPDATE, None)
    assert found.wave == "early"


@pytest.mark.parametrize(
    ("cause", "method"),
    [(Cause.OS_UPDATE, MergeMethod.SQUASH), (Cause.DOTNET_RELEASE, MergeMethod.NEVER)],
)
def test_only_the_chosen_causes_merge_by_themselves(cause: Cause, method: MergeMethod) -> None:
    assert terms(PolicyRule(auto_merge=SQUASH), cause=cause).auto_merge.method is method


def test_the_rule_that_gave_a_term_is_told() -> None:
    rules = (
        PolicyRule(Match(bases=("*:9.0",)), wave="never"),
        PolicyRule(wave="canary"),
        PolicyRule(wave="rest", settle=timedelta(1)),
    )
    found = Policy(rules).origins("contoso/shop", ASPNET, Cause.OS_UPDATE, None)
    assert (found["wave"], found["settle"], found["workflow"]) == (1, 2, None)


def test_a_rule_for_other_repositories_gives_no_term() -> None:
    rules = (PolicyRule(Match(repositories=("contoso/other",)), wave="canary"), PolicyRule(wave="rest"))
    assert Policy(rules).origins("contoso/shop", ASPNET, Cause.OS_UPDATE, None)["wave"] == 1


def test_waves_begin_in_the_operators_order_and_a_wave_that_is_not_named_begins_last() -> None:
    policy = Policy((), (Wave("zero"), Wave("alpha")))
    assert policy.earliest(["alpha", "zero"]) == "zero"
    assert policy.earliest(["absent", "alpha"]) == "alpha"


def test_several_changes_take_the_earliest_wave_and_the_shortest_soak() -> None:
    policy = Policy((), WAVES)
    several = [Terms(wave="rest", soak=timedelta(hours=9)), Terms(wave="canary"), Terms(wave="early")]
    found = policy.together(several)
    assert (found.wave, found.soak) == ("canary", timedelta(hours=1))


def test_several_changes_merge_by_themselves_only_where_each_may() -> None:
    may = Terms(auto_merge=SQUASH)
    assert Policy().together([may, replace(may, settle=timedelta())]).auto_merge == SQUASH
    assert Policy().together([may, Terms()]).auto_merge == NEVER


some_terms = st.builds(
    Terms,
    wave=st.sampled_from([wave.name for wave in WAVES]),
    soak=st.none() | st.timedeltas(timedelta(), timedelta(days=2)),
    auto_merge=st.sampled_from([NEVER, SQUASH]),
)


@given(st.lists(some_terms, min_size=1, max_size=5), st.randoms())
def test_the_order_of_changes_moves_nobody_to_a_later_wave(several: list[Terms], random: Random) -> None:
    policy = Policy((), WAVES)
    shuffled = random.sample(several, len(several))
    first, second = policy.together(several), policy.together(shuffled)
    assert (first.wave, policy.soak(first), first.auto_merge) == (
        second.wave,
        policy.soak(second),
        second.auto_merge,
    )
    names = [wave.name for wave in WAVES]
    assert all(names.index(first.wave) <= names.index(terms.wave) for terms in several)


matches = st.builds(
    Match,
    repositories=st.lists(
        st.sampled_from(["*", "contoso/*", "contoso/shop", "Contoso/Shop-*", "contoso/team/*", "contoso/*/*"]),
        max_size=2,
    ).map(tuple),
    bases=st.lists(st.sampled_from(["*", "*:10.0", "mcr.microsoft.com/dotnet/*"]), max_size=2).map(tuple),
    causes=st.lists(st.sampled_from([Cause.OS_UPDATE, Cause.DOTNET_SECURITY]), max_size=2).map(tuple),
    min_severity=st.none() | st.sampled_from(Severity),
)


@given(
    wide=matches,
    narrow=matches,
    repository=st.sampled_from(["contoso/shop", "contoso/shop-api", "other/shop", "contoso/team/desk"]),
    base=st.sampled_from([ASPNET, replace(ASPNET, tag="9.0"), replace(ASPNET, registry="other.example")]),
    cause=st.sampled_from([Cause.OS_UPDATE, Cause.DOTNET_SECURITY, Cause.LAYERS_ONLY]),
    severity=st.none() | st.sampled_from(Severity),
)
def test_a_match_that_covers_another_accepts_all_of_it(
    wide: Match, narrow: Match, repository: str, base: Base, cause: Cause, severity: Severity | None
) -> None:
    if wide.covers(narrow) and narrow.accepts(repository, base, cause, severity):
        assert wide.accepts(repository, base, cause, severity)


@given(rules_of, st.sampled_from(Cause), st.none() | st.sampled_from(Severity))
def test_an_answer_does_not_depend_on_what_was_asked_before(
    rules: list[PolicyRule], cause: Cause, severity: Severity | None
) -> None:
    asked = Policy(tuple(rules))
    for other in Cause:
        asked.terms("contoso/shop", ASPNET, other, Severity.LOW)
    assert asked.terms("contoso/payments-api", ASPNET, cause, severity) == terms(
        *rules, cause=cause, severity=severity
    )


def test_what_holds_where_the_operator_says_nothing() -> None:
    found = terms()
    assert (found.action, found.workflow) == (ActionPreference.AUTO, "weekly-rebuild.yml")
    assert (found.settle, found.windows, found.wave) == (timedelta(hours=6), (Window(),), "rest")
    assert (found.max_age, found.soak, found.commit_message) == (None, None, None)
    assert (found.steps, found.workflows, found.labels, found.reviewers, found.assignees) == ((),) * 5
    assert (found.pin, found.auto_merge.method, found.branch_prefix) == (Pin.KEEP, MergeMethod.NEVER, "freshness/")
    assert (found.follow_rollbacks, found.draft) == (False, False)
    assert Policy().pause_when_failed == 0.2


def test_several_changes_whose_waves_nobody_knows_have_no_soak() -> None:
    several = [Terms(wave="gone"), Terms(wave="gone", workflow="other.yml")]
    assert Policy((), WAVES).together(several).soak is None
    assert Policy((), WAVES).soak(several[0]) is None


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        (Match(), Match(), True),
        (Match(), Match(causes=(Cause.OS_UPDATE,)), True),
        (Match(causes=(Cause.OS_UPDATE,)), Match(), False),
        (Match(causes=(Cause.OS_UPDATE,)), Match(causes=(Cause.OS_UPDATE,)), True),
        (Match(causes=(Cause.OS_UPDATE,)), Match(causes=(Cause.OS_UPDATE, Cause.AGE)), False),
        (Match(min_severity=Severity.HIGH), Match(), False),
        (Match(min_severity=Severity.HIGH), Match(min_severity=Severity.HIGH), True),
        (Match(min_severity=Severity.HIGH), Match(min_severity=Severity.CRITICAL), True),
        (Match(min_severity=Severity.HIGH), Match(min_severity=Severity.LOW), False),
        (Match(repositories=("Contoso/*",)), Match(repositories=("contoso/shop",)), True),
        (Match(repositories=("contoso/*",)), Match(repositories=("other/shop",)), False),
        (Match(bases=("*:9.0",)), Match(), False),
        (Match(bases=("*:9.0",)), Match(bases=("*:9.0",)), True),
    ],
)
def test_what_surely_accepts_all_of_another_covers_it(wide: Match, narrow: Match, covers: bool) -> None:
    assert wide.covers(narrow) is covers


@pytest.mark.parametrize(
    ("match", "settle", "place"),
    [(Match(), timedelta(0), None), (Match(causes=(Cause.BASE_UPDATE,)), timedelta(hours=3), 0)],
)
def test_what_an_own_base_brings_settles_only_by_a_rule_that_names_it(
    match: Match, settle: timedelta, place: int | None
) -> None:
    rule = PolicyRule(match, settle=timedelta(hours=3), wave="found")
    assert terms(rule, cause=Cause.BASE_UPDATE).settle == settle
    origins = Policy((rule,)).origins("contoso/shop", ASPNET, Cause.BASE_UPDATE, None)
    assert (origins["settle"], origins["wave"]) == (place, 0)


def test_the_terms_that_a_rule_sets_are_named() -> None:
    assert PolicyRule(wave="canary", settle=timedelta(0), draft=False).terms == {"wave", "settle", "draft"}


def test_several_changes_that_would_merge_by_different_methods_wait_for_a_person() -> None:
    rebase = replace(SQUASH, method=MergeMethod.REBASE)
    assert Policy().together([Terms(auto_merge=SQUASH), Terms(auto_merge=rebase)]).auto_merge == NEVER


def test_where_no_waves_are_configured_what_a_rule_names_stays() -> None:
    assert Policy((), ()).terms("contoso/shop", ASPNET, Cause.OS_UPDATE, None).wave == "rest"
