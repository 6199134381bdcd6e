"""What each failure means for the work that met it: the one table."""

import pytest

from bot.domain.failure import Failure, Gone, Meaning, Trouble
from bot.domain.forge.refusals import (
    AccessDenied,
    BranchMoved,
    BranchQueued,
    BranchRefused,
    BranchRule,
    Denial,
    RepositoryMoved,
    SightLost,
)

MISSING = Failure(Trouble.MISSING, "HTTP 404", where="contoso/shop", status=404)


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (Failure(Trouble.UNREACHABLE, "no answer"), Meaning.TRANSIENT),
        (Failure(Trouble.THROTTLED, "slow down"), Meaning.TRANSIENT),
        (Failure(Trouble.DENIED, "HTTP 401", status=401), Meaning.TRANSIENT),
        (Failure(Trouble.CONFLICT, "HTTP 409", status=409), Meaning.TRANSIENT),
        (MISSING, Meaning.TRANSIENT),
        (AccessDenied(Denial.IP_ALLOW_LIST, "no"), Meaning.TRANSIENT),
        (AccessDenied(Denial.SINGLE_SIGN_ON, "no"), Meaning.TRANSIENT),
        (SightLost("suspended", "contoso/shop", "end it"), Meaning.TRANSIENT),
        (BranchMoved("b", "moved"), Meaning.TRANSIENT),
        (BranchQueued("b"), Meaning.TRANSIENT),
        (RepositoryMoved("contoso/shop"), Meaning.TRANSIENT),
        (AccessDenied(Denial.RIGHT, "no"), Meaning.REFUSED),
        (AccessDenied(Denial.EVENT, "no"), Meaning.REFUSED),
        (BranchRefused("b", BranchRule.LOCKED), Meaning.REFUSED),
        (Failure(Trouble.DENIED, "HTTP 403", status=403), Meaning.REFUSED),
        (Failure(Trouble.CONFLICT, "HTTP 422", status=422), Meaning.REFUSED),
        (Gone(MISSING), Meaning.GONE),
        (Failure(Trouble.MALFORMED, "no such field"), Meaning.OURS),
    ],
    ids=lambda value: str(value),
)
def test_each_failure_has_one_meaning(failure: Failure, meaning: Meaning) -> None:
    assert failure.meaning is meaning


def test_only_what_is_refused_or_gone_may_end_work() -> None:
    assert {meaning for meaning in Meaning if meaning.may_end_work} == {Meaning.REFUSED, Meaning.GONE}


def test_what_is_gone_says_what_was_absent() -> None:
    assert str(Gone(MISSING)) == str(MISSING)
