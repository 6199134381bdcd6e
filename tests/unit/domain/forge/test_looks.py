"""Which pull requests from the bot's branch are its own."""

from dataclasses import replace

from bot.domain.forge.looks import BranchLook, OwnWord
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.repositories.repository import Identity

OURS = PullRequest(3, "url", "freshness/x", "a" * 40, "title", "body", is_open=True, is_merged=False)
THEIRS = replace(OURS, number=4, is_own=False)
CLOSED = replace(OURS, number=2, is_open=False)


def look(*shown: PullRequest) -> BranchLook:
    return BranchLook(OwnWord(Identity("contoso/shop"), "main"), None, None, shown)


def test_those_are_the_bots_that_its_account_has_opened() -> None:
    assert look(THEIRS, OURS, CLOSED).own() == (OURS, CLOSED)


def test_so_is_the_one_that_it_knows_whoever_the_forge_says_opened_it() -> None:
    shown = look(THEIRS, OURS, CLOSED)
    assert shown.own(THEIRS.number) == (THEIRS, OURS, CLOSED)
    assert (shown.open_own(THEIRS.number), shown.open_of_others(THEIRS.number)) == (THEIRS, None)


def test_so_are_several_that_it_knows() -> None:
    shown = look(THEIRS, OURS, CLOSED)
    assert shown.own(9, THEIRS.number) == (THEIRS, OURS, CLOSED)
    assert shown.open_of_others(9, THEIRS.number) is None


def test_of_several_the_one_that_it_knows_comes_first() -> None:
    other = replace(OURS, number=5)
    assert look(other, OURS).open_own(OURS.number) == OURS
    assert look(other, OURS).open_own() == other


def test_what_is_closed_is_open_to_nobody() -> None:
    assert (look(CLOSED).open_own(), look(CLOSED).open_of_others()) == (None, None)


def test_one_of_somebody_else_is_none_of_the_bots() -> None:
    assert (look(THEIRS).open_own(), look(THEIRS).open_of_others()) == (None, THEIRS)
