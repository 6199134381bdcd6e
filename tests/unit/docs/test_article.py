"""The page on practices lists all that the article asks, with checks, pages and laws that there are."""

from pathlib import Path

import pytest

from bot.files.audit.rules import BY_CHECK
from docs.article import FAULTS, PRACTICES, ArticlePractice, article_table, laws

ROOT = Path(__file__).parents[3]
ASKED = [each for practices in PRACTICES.values() for each in practices]


@pytest.mark.parametrize("practice", ASKED, ids=lambda each: each.asks)
def test_each_practice_names_a_check_or_a_page_and_a_law_that_there_are(practice: ArticlePractice) -> None:
    assert practice.checks or practice.beside
    assert set(practice.checks) <= BY_CHECK.keys()
    assert practice.law in laws()
    for page, _ in practice.beside:
        assert (ROOT / "docs" / "operate" / page).resolve().is_file()


@pytest.mark.parametrize(
    "words",
    [
        *("root", "escalation", "read-only", "capabilities", "Seccomp", "socket", "shared chart"),
        *("scanned before", "HIGH and CRITICAL", "uploaded always", "every week"),
        *("SPDX", "SLSA", "contain a package"),
        *("by digest", "Keyless", "identity and issuer", "admission controller"),
        *("Build secrets", "Runtime secrets", "Private registries"),
        *("minor version", "`--pull`", "advisories", "canary"),
    ],
)
def test_all_that_the_article_asks_is_listed(words: str) -> None:
    assert any(words in each.asks for each in ASKED)


def test_where_it_errs_a_check_asks_for_something_else() -> None:
    assert {each.check for each in FAULTS} <= BY_CHECK.keys()
    assert len(FAULTS) == 5


def test_every_check_stands_in_the_lists() -> None:
    text = "\n".join(article_table())
    assert [check for check in BY_CHECK if f"(#{check})" not in text] == []


def test_what_is_proposed_follows_from_what_onboarding_may_commit() -> None:
    proposals = {each.asks: each.proposal for each in ASKED}
    assert proposals["Seccomp's RuntimeDefault"] == "commit"
    assert proposals["Which images contain a package can be asked"] == "none"
    assert proposals["These in a shared chart or Kustomize base"] == "patch"
