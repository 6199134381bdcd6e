from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.advisory import Severity
from bot.domain.change import Cause
from bot.domain.policy import ActionPreference, Match, Policy, Rule, Terms
from bot.domain.reference import Base
from bot.domain.windows import Window

ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
NIGHT = (Window.parse("mon-sun 01:00-03:00"),)


def terms(*rules: Rule, cause: Cause = Cause.OS_UPDATE, severity: Severity | None = None) -> Terms:
    return Policy(rules).terms("contoso/payments-api", ASPNET, cause, severity)


def test_without_rules_the_defaults_hold() -> None:
    assert terms() == Terms()


def test_the_first_matching_rule_wins_and_later_ones_fill_its_gaps() -> None:
    found = terms(Rule(wave="canary"), Rule(wave="rest", workflow="mine.yml"), Rule(workflow="other.yml"))
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
    assert (terms(Rule(match, wave="found")).wave == "found") is holds


@pytest.mark.parametrize("least", Severity, ids=str)
@pytest.mark.parametrize("rated", Severity, ids=str)
def test_a_severity_is_a_lower_bound(least: Severity, rated: Severity) -> None:
    found = terms(Rule(Match(min_severity=least), wave="found"), cause=Cause.DOTNET_SECURITY, severity=rated)
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
    rule = Rule(settle=timedelta(hours=2))
    assert terms(rule, cause=Cause.DOTNET_SECURITY, severity=Severity.CRITICAL).settle == timedelta(hours=2)


def test_no_time_and_no_window_are_wishes_too() -> None:
    found = terms(Rule(settle=timedelta(0), windows=()), Rule(settle=timedelta(hours=3), windows=NIGHT))
    assert (found.settle, found.windows) == (timedelta(0), ())


rules_of = st.lists(
    st.builds(
        Rule,
        st.builds(Match, causes=st.sampled_from([(), (Cause.OS_UPDATE,), (Cause.DOTNET_RELEASE,)])),
        action=st.none() | st.sampled_from(ActionPreference),
        wave=st.none() | st.sampled_from(["canary", "rest"]),
    ),
    max_size=5,
)


@given(rules_of)
def test_rules_that_do_not_match_change_nothing(rules: list[Rule]) -> None:
    matching = [rule for rule in rules if Cause.DOTNET_RELEASE not in rule.match.causes]
    assert terms(*rules) == terms(*matching)
