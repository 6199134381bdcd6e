from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.watch.registry.incident import (
    Breaker,
    Incident,
    host_incident,
    incident_of,
    is_worth_telling,
    pause,
    subject_of,
)
from tests.unit.watch.memory import failure

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")


def after(*events: Trouble | None) -> Breaker:
    """A breaker that saw answers (None) and troubles, in this order."""
    breaker = Breaker()
    for event in events:
        if event is None:
            breaker.answered()
        else:
            breaker.failed(failure(event))
    return breaker


@pytest.mark.parametrize(
    ("trouble", "subject"),
    [
        (Trouble.DENIED, "registry:mcr.microsoft.com/dotnet/aspnet"),
        (Trouble.MISSING, "registry:mcr.microsoft.com/dotnet/aspnet:10.0"),
        (Trouble.MALFORMED, "registry:mcr.microsoft.com/dotnet/aspnet:10.0"),
    ],
)
def test_a_refusal_concerns_the_repository_and_anything_else_the_base(trouble: Trouble, subject: str) -> None:
    assert subject_of(failure(trouble), BASE) == subject


def test_an_incident_reads_as_one_line() -> None:
    assert (
        incident_of(BASE, failure(Trouble.MISSING, str(BASE)), NOW).detail == f"{BASE}: has a trouble; do something"
    )
    assert incident_of(BASE, failure(Trouble.MISSING), NOW).detail == f"{BASE}: has a trouble; do something"
    assert host_incident(BASE, failure(Trouble.UNREACHABLE), NOW).detail == (
        "mcr.microsoft.com: has a trouble; its bases are looked at again later"
    )


def test_a_subject_fits_its_column() -> None:
    long = Base("r" * 200, "a" * 200, "t")
    assert len(subject_of(failure(Trouble.MISSING), long)) == 255


def test_silence_of_one_base_is_told_the_second_time_and_all_else_at_once() -> None:
    assert not is_worth_telling(failure(Trouble.UNREACHABLE), 1)
    assert is_worth_telling(failure(Trouble.UNREACHABLE), 2)
    assert is_worth_telling(failure(Trouble.DENIED), 1)


def test_too_many_requests_stop_at_once() -> None:
    assert after(None, None, Trouble.THROTTLED).tripped is not None


def test_silence_stops_after_three_in_a_row() -> None:
    silent = Trouble.UNREACHABLE
    assert after(silent, silent).tripped is None
    assert after(silent, silent, None, silent, silent).tripped is None
    assert after(silent, silent, silent).tripped is not None


@pytest.mark.parametrize("answer", [Trouble.DENIED, Trouble.MISSING, Trouble.MALFORMED])
def test_a_host_that_says_no_is_there(answer: Trouble) -> None:
    breaker = after(Trouble.UNREACHABLE, Trouble.UNREACHABLE, answer, Trouble.UNREACHABLE)
    assert breaker.has_answered
    assert breaker.tripped is None


@pytest.mark.parametrize(
    ("failures", "known_in_trouble", "tripped"),
    [(0, True, False), (1, False, False), (1, True, True), (2, False, True)],
)
def test_where_few_are_asked_and_none_is_answered(failures: int, known_in_trouble: bool, tripped: bool) -> None:
    breaker = after(*[Trouble.UNREACHABLE] * failures)
    breaker.asked_everybody(known_in_trouble=known_in_trouble)
    assert (breaker.tripped is not None) is tripped


def test_a_pause_is_at_least_what_the_host_asked_for() -> None:
    incident = Incident("registry:r", NOW, "x")
    asked = Failure(Trouble.THROTTLED, "x", retry_after=timedelta(hours=2))
    assert pause(incident, NOW, asked) == timedelta(hours=2)
    assert pause(incident, NOW) == timedelta(minutes=1)
    assert pause(incident, NOW + timedelta(days=1)) == timedelta(minutes=30)
