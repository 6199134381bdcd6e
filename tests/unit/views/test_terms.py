from datetime import UTC, datetime, timedelta

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.policy import TERMS, Match, Policy, PolicyRule
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import Freeze, Window
from bot.views.rollouts.terms import TermsQuestion, answer, as_json, term_in_words

NOON = datetime(2026, 12, 24, 12, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
FREEZE = Freeze(NOON, NOON + timedelta(days=9), "year-end closing", Severity.CRITICAL)
POLICY = Policy(
    (
        PolicyRule(Match(causes=(Cause.OS_UPDATE,)), wave="canary"),
        PolicyRule(Match(repositories=("contoso/*",)), windows=(Window.parse("mon-tue 08:00-17:00"),)),
    ),
    (Wave("canary"), Wave("rest")),
    (FREEZE,),
)


def asked(cause: Cause = Cause.DOTNET_SECURITY, severity: Severity | None = Severity.HIGH) -> TermsQuestion:
    return TermsQuestion("contoso/shop", ASPNET, cause, severity)


def test_every_term_is_told_with_who_gave_it() -> None:
    found = answer(POLICY, asked(Cause.OS_UPDATE, None), NOON)
    why = {given.name: (term_in_words(given), given.why) for given in found.terms}
    assert list(why) == list(TERMS)
    assert why["wave"] == ("canary", "policy.0")
    assert why["windows"] == ("mon,tue 08:00-17:00 UTC", "policy.1")
    assert why["settle"] == ("6 h", "default")
    assert why["max_age"] == ("not guaranteed", "default")
    assert found.matching == (0, 1)


def test_what_no_rule_says_is_told_with_its_reason() -> None:
    why = {given.name: given.why for given in answer(POLICY, asked(), NOON).terms}
    assert why["settle"] == "default: a severe security fix does not settle"
    assert why["wave"] == "default: the last wave"


def test_a_freeze_that_holds_now_is_told() -> None:
    assert answer(POLICY, asked(), NOON).freeze == FREEZE
    assert answer(POLICY, asked(severity=Severity.CRITICAL), NOON).freeze is None


def test_scripts_get_plain_values() -> None:
    body = as_json(answer(POLICY, asked(), NOON))
    assert body["terms"]["settle"] == {
        "value": 0.0,
        "rule": None,
        "why": "default: a severe security fix does not settle",
    }
    assert body["terms"]["windows"]["value"] == ["mon,tue 08:00-17:00 UTC"]
    assert (body["matching_rules"], body["frozen_because"]) == ([1], "year-end closing")
