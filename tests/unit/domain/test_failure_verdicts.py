"""What each failure means for the work that met it: the one table."""

import pytest

from bot.domain.failure import Failure, Gone, Trouble, Verdict
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
    ("failure", "verdict"),
    [
        (Failure(Trouble.UNREACHABLE, "no answer"), Verdict.TRANSIENT),
        (Failure(Trouble.THROTTLED, "slow down"), Verdict.TRANSIENT),
        (Failure(Trouble.DENIED, "HTTP 401", status=401), Verdict.TRANSIENT),
        (Failure(Trouble.CONFLICT, "HTTP 409", status=409), Verdict.TRANSIENT),
        (MISSING, Verdict.TRANSIENT),
        (AccessDenied(Denial.IP_ALLOW_LIST, "no"), Verdict.TRANSIENT),
        (AccessDenied(Denial.SINGLE_SIGN_ON, "no"), Verdict.TRANSIENT),
        (SightLost("suspended", "contoso/shop", "end it"), Verdict.TRANSIENT),
        (BranchMoved("b", "moved"), Verdict.TRANSIENT),
        (BranchQueued("b"), Verdict.TRANSIENT),
        (RepositoryMoved("contoso/shop"), Verdict.TRANSIENT),
        (AccessDenied(Denial.RIGHT, "no"), Verdict.REFUSED),
        (AccessDenied(Denial.EVENT, "no"), Verdict.REFUSED),
        (BranchRefused("b", BranchRule.LOCKED), Verdict.REFUSED),
        (Failure(Trouble.DENIED, "HTTP 403", status=403), Verdict.REFUSED),
        (Failure(Trouble.CONFLICT, "HTTP 422", status=422), Verdict.REFUSED),
        (Gone(MISSING), Verdict.GONE),
        (Failure(Trouble.MALFORMED, "no such field"), Verdict.OURS),
    ],
    ids=lambda value: str(value),
)
def test_each_failure_has_one_verdict(failure: Failure, verdict: Verdict) -> None:
    assert failure.verdict is verdict


def test_only_what_is_refused_or_gone_may_end_work() -> None:
    assert {verdict for verdict in Verdict if verdict.may_end_work} == {Verdict.REFUSED, Verdict.GONE}


def test_what_is_gone_says_what_was_absent() -> None:
    assert str(Gone(MISSING)) == str(MISSING)
