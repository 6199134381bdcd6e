from datetime import UTC, datetime

import pytest

from bot.domain.bases.incident import (
    host_incident,
    incident_of,
    is_worth_telling,
    subject_of,
)
from bot.domain.failure import Trouble
from bot.domain.reference import Base
from tests.fakes.registry import failure

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")


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
    assert host_incident("mcr.microsoft.com", failure(Trouble.UNREACHABLE), NOW).detail == (
        "mcr.microsoft.com: has a trouble; its bases are looked at again later"
    )


def test_a_subject_fits_its_column() -> None:
    long = Base("r" * 200, "a" * 200, "t")
    assert len(subject_of(failure(Trouble.MISSING), long)) == 255


def test_silence_of_one_base_is_told_the_second_time_and_all_else_at_once() -> None:
    assert not is_worth_telling(failure(Trouble.UNREACHABLE), 1)
    assert is_worth_telling(failure(Trouble.UNREACHABLE), 2)
    assert is_worth_telling(failure(Trouble.DENIED), 1)
