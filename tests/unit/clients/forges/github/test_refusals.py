"""Refusals of a branch as GitHub words them; each is quoted in a public thread."""

import pytest

from bot.clients.forges.github.pull_requests.rules import refusal
from bot.domain.forge.refusals import BranchQueued, BranchRefused, BranchRule

BRANCH = "freshness/aspnet"
VIOLATIONS = "Repository rule violations found\n\n{}\n\n"
PAGE = "https://docs.github.com/articles/about-protected-branches/"
QUEUED = (
    "A pull request for this branch has been added to a merge queue. Branches that are queued for merging cannot "
    "be updated. To modify this branch, dequeue the associated pull request."
)


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (VIOLATIONS.format("Cannot create ref due to creations being restricted."), BranchRule.CREATION),
        (VIOLATIONS.format("Commits must have verified signatures."), BranchRule.SIGNATURES),
        (VIOLATIONS.format("Changes must be made through a pull request."), BranchRule.PULL_REQUEST),
        (VIOLATIONS.format("Changes must be made through the merge queue"), BranchRule.PULL_REQUEST),
        ("Cannot force-push to this protected branch", BranchRule.FORCE_PUSH),
        ("Changes must be made through a pull request.", BranchRule.PULL_REQUEST),
        (
            "At least 1 approving review is required by reviewers with write access.",
            BranchRule.PULL_REQUEST,
        ),
        (
            "4 of 4 required status checks are expected. Changes must be made through a pull request.",
            BranchRule.CHECKS,
        ),
        ('Required status check "DCO" is expected.', BranchRule.CHECKS),
        (f"You're not authorized to push to this branch. Visit {PAGE} for more information.", BranchRule.PUSHERS),
        ("Secret detected in content", BranchRule.SECRETS),
        ("protected branch 'main' check failed: something of its own", BranchRule.OTHER),
    ],
)
def test_a_rule_is_known_by_the_words_with_which_github_refuses(message: str, rule: BranchRule) -> None:
    refused = refusal(BRANCH, message, "github", "UNPROCESSABLE")
    assert isinstance(refused, BranchRefused)
    assert refused.rule is rule


def test_what_the_older_protection_refuses_is_a_rule_in_whatever_words() -> None:
    refused = refusal(BRANCH, "Not today", "github", "BRANCH_PROTECTION_RULE_VIOLATION")
    assert isinstance(refused, BranchRefused)
    assert (refused.rule, refused.what) == (
        BranchRule.OTHER,
        f"a rule of the repository refuses {BRANCH}: Not today",
    )


def test_a_branch_that_is_queued_is_none_that_a_rule_refuses_for_good() -> None:
    assert isinstance(refusal(BRANCH, QUEUED, "github", "UNPROCESSABLE"), BranchQueued)


@pytest.mark.parametrize(
    "message",
    ["Reference update failed", 'Expected branch to point to "a" but it did not.  Pull and try again.', "a bug"],
)
def test_what_names_no_rule_is_none(message: str) -> None:
    assert refusal(BRANCH, message, "github", "UNPROCESSABLE") is None
