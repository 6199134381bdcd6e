"""When a registry is said to show two digests of one tag in turn, and when what it shows is believed again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.observation import DOUBTED_FOR, LastLook, ShowsTwo
from tests.builders import NOON

NEW, OLD = "sha256:new", "sha256:old"
MOMENT = timedelta(seconds=1)
AT_REST = LastLook(NEW, NOON - DOUBTED_FOR)
JUST_MOVED = LastLook(NEW, NOON - DOUBTED_FOR + MOMENT)


def test_an_older_digest_beside_one_that_has_just_come_is_one_of_two() -> None:
    assert JUST_MOVED.doubt(OLD, NOON) == ShowsTwo(OLD, NOON)
    assert LastLook(NEW, NOON).doubt(OLD, NOON) == ShowsTwo(OLD, NOON)


def test_an_older_digest_after_a_day_of_rest_is_believed_once_it_is_seen_again() -> None:
    assert AT_REST.doubt(OLD, NOON) is None
    assert LastLook(NEW, None).doubt(OLD, NOON) is None
    assert replace(AT_REST, unconfirmed=OLD).doubt(OLD, NOON) is None


def test_a_base_that_shows_what_it_did_is_not_doubted() -> None:
    assert JUST_MOVED.doubt(NEW, NOON) is None


def test_one_that_changes_back_before_that_was_confirmed_shows_two() -> None:
    assert replace(AT_REST, unconfirmed=OLD).doubt(NEW, NOON) == ShowsTwo(OLD, NOON)


@pytest.mark.parametrize("shown", [NEW, OLD])
def test_of_two_one_that_is_shown_alone_for_a_day_is_believed(shown: str) -> None:
    look = replace(AT_REST, unconfirmed=OLD if shown == OLD else None)
    since_a_day = replace(look, shows_two=ShowsTwo(OLD, NOON - DOUBTED_FOR))
    assert since_a_day.doubt(shown, NOON) is None
    since_less = ShowsTwo(OLD, NOON - DOUBTED_FOR + MOMENT)
    assert replace(look, shows_two=since_less).doubt(shown, NOON) == since_less


def test_a_day_alone_begins_anew_whenever_the_other_is_shown() -> None:
    look = replace(AT_REST, shows_two=ShowsTwo(OLD, NOON - 2 * DOUBTED_FOR))
    assert look.doubt(OLD, NOON) == ShowsTwo(OLD, NOON)
    assert replace(look, unconfirmed=OLD).doubt(NEW, NOON) == ShowsTwo(OLD, NOON)


def test_the_other_digest_is_told_by_its_first_digits() -> None:
    told = ShowsTwo("sha256:" + "0123456789ab" * 5 + "0123", NOON).told
    assert told == "the registry shows two, this digest and 0123456789ab, which was shown before"


def test_what_is_shown_is_doubted_for_a_day_where_nothing_else_is_known() -> None:
    assert timedelta(days=1) == DOUBTED_FOR
    assert LastLook(None, None) == LastLook(None, None, unconfirmed=None, shows_two=None)
    assert LastLook(None, None).doubt(NEW, NOON) is None


def test_beside_nothing_no_other_is_shown() -> None:
    assert LastLook(NEW, NOON, shows_two=ShowsTwo(OLD, NOON)).doubt(NEW, NOON) == ShowsTwo(OLD, NOON)
    assert replace(JUST_MOVED, unconfirmed=OLD).doubt(NEW, NOON) == ShowsTwo(OLD, NOON)
