"""What is not said of onboarding is not known, and what holds where the operator says nothing."""

from datetime import timedelta

from bot.domain.host import Host
from bot.domain.repositories.onboarding import SAFE_CHECKS, Onboarding, OnboardingState
from bot.domain.repositories.repository import Identity
from bot.fleet.act.onboarding.deciding import BRANCH
from bot.fleet.act.onboarding.ports import DueOnboarding, OnboardingOptions, ProposalSource
from bot.fleet.act.onboarding.tick import OnboardingTally

SHOP, WAITING = Identity("contoso/shop"), Onboarding(OnboardingState.WAITING, "asked for")


def test_of_a_repository_nothing_else_is_told() -> None:
    assert DueOnboarding(1, SHOP, {}, WAITING) == DueOnboarding(1, SHOP, {}, WAITING, (), 0, None)
    assert ProposalSource("contoso/shop", {}) == ProposalSource("contoso/shop", {}, (), ())
    assert OnboardingTally() == OnboardingTally(0, 0, ())


def test_what_holds_of_onboarding_where_the_operator_says_nothing() -> None:
    options = OnboardingOptions()
    assert (options.repositories, options.at_once, options.checks, options.freezes) == ((), 3, SAFE_CHECKS, ())
    assert (options.open_pull_requests, options.follow_every) == (2, timedelta(minutes=5))
    assert (options.label, options.web, options.host) == ("freshness", "https://github.com", Host())
    assert BRANCH == "freshness/onboarding"


def test_a_proposal_is_made_anew_where_anything_that_it_is_made_from_differs() -> None:
    due = DueOnboarding(1, SHOP, {"Dockerfile": "a", "b": "c"}, WAITING)
    turned = DueOnboarding(1, SHOP, {"b": "c", "Dockerfile": "a"}, WAITING)
    other = DueOnboarding(1, SHOP, {"Dockerfile": "d", "b": "c"}, WAITING)
    assert due.made_from(["sbom", "base-pinned"]) == turned.made_from(["base-pinned", "sbom"])
    assert len({due.made_from(["sbom"]), due.made_from(["base-pinned"]), other.made_from(["sbom"])}) == 3
    assert len(due.made_from([])) == 16
