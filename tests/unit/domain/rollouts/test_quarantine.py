from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.reference import Base
from bot.domain.rollouts.quarantine import BuildEnd, Suspect, needed_reruns, suspects

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")


def end(name: str, *, succeeded: bool = False, green: float | None = 1, again: bool | None = True) -> BuildEnd:
    before = None if green is None else NOON - green * DAY
    return BuildEnd(name, ASPNET, "sha256:new", succeeded, NOON, before, again)


def broken(number: int) -> list[BuildEnd]:
    return [end(f"broken-{each}") for each in range(number)]


def fine(number: int) -> list[BuildEnd]:
    return [end(f"fine-{each}", succeeded=True) for each in range(number)]


@pytest.mark.parametrize(
    ("failed", "succeeded", "is_suspect"), [(2, 0, False), (3, 0, True), (3, 12, True), (3, 13, False)]
)
def test_three_repositories_and_a_fifth_of_those_that_ended_make_a_digest_suspect(
    failed: int, succeeded: int, is_suspect: bool
) -> None:
    assert bool(suspects([*broken(failed), *fine(succeeded)])) is is_suspect


@pytest.mark.parametrize(
    "other", [end("x", green=None), end("x", green=15), end("x", again=False), end("x", again=None)]
)
def test_a_failure_counts_only_where_the_repository_was_fine_and_fails_again(other: BuildEnd) -> None:
    assert suspects([*broken(2), other]) == ()


def test_one_more_run_is_wanted_of_a_repository_that_was_fine() -> None:
    assert end("x", again=None).wants_rerun
    assert not end("x", again=True).wants_rerun
    assert not end("x", green=None, again=None).wants_rerun


def test_the_suspect_says_why() -> None:
    [found] = suspects([*broken(3), *fine(2)])
    assert found.reason == "3 of 5 repositories fail on it that were green on the digest before"


def test_nobody_is_run_again_while_too_few_have_failed() -> None:
    assert needed_reruns([end(name, again=None) for name in "ab"]) == ()
    assert needed_reruns([*(end(name, again=None) for name in "abc"), *fine(13)]) == ()


def test_each_that_was_fine_is_run_again_once_its_base_may_be_broken() -> None:
    failed = [end(name, again=None) for name in "abc"]
    assert needed_reruns([*failed, end("red before", green=None, again=None)]) == tuple(failed)
    assert needed_reruns(broken(3)) == ()


def test_what_only_people_can_start_is_not_run_again() -> None:
    assert not replace(end("x", again=None), can_be_repeated=False).wants_rerun
    assert not replace(end("x", again=None), succeeded=True).wants_rerun


def test_a_build_is_fine_that_was_green_within_two_weeks() -> None:
    assert end("x", green=14).was_fine
    assert not end("x", green=14.01).was_fine


def test_only_the_last_build_of_a_repository_counts() -> None:
    mended = [replace(end(f"broken-{number}", succeeded=True), at=NOON + DAY) for number in range(3)]
    assert suspects([*mended, *broken(3)]) == ()
    assert needed_reruns([*mended, *(replace(each, failed_again=None) for each in broken(3))]) == ()


def test_each_digest_is_judged_by_itself() -> None:
    other = [replace(each, digest="sha256:other") for each in broken(3)]
    assert suspects([*broken(2), *other]) == (
        Suspect(ASPNET, "sha256:other", ("broken-0", "broken-1", "broken-2"), 3),
    )


def test_what_is_broken_already_counts_for_whether_others_are_run_again() -> None:
    assert needed_reruns([*broken(2), end("x", again=None)]) == (end("x", again=None),)


def test_the_builds_on_each_digest_that_may_be_broken_are_run_again() -> None:
    first = [end(name, again=None) for name in "abc"]
    second = [replace(each, digest="sha256:other") for each in first]
    assert needed_reruns([*first, *second]) == (*first, *second)
