"""What answers of Azure DevOps mean: their JSON, and failures in words for a maintainer.

A wrong credential is answered with 203 and a page to sign in at. `typeKey` says what went wrong; the status alone
does not: a repository that is disabled, gone or hidden is 404 alike.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bot.clients.http.answers import Answer
from bot.domain.failure import Failure, Trouble

SUPPRESSED = {"X-TFS-FedAuthRedirect": "Suppress"}
"""Has the service say that the credentials are not taken, rather than send to where one signs in."""
_SIGN_IN = "check that the token is of this organisation and has not run out"
_CODE = re.compile(r"\b(?:TF|VS)\d{5,6}\b")
_TROUBLES: Mapping[str, Trouble] = {
    "PipelineValidationException": Trouble.CONFLICT,
    "InvalidArgumentValueException": Trouble.MALFORMED,
    "GitReferenceStaleException": Trouble.CONFLICT,
    "GitPullRequestExistsException": Trouble.CONFLICT,
    "GitNeedsPermissionException": Trouble.DENIED,
}
"""By `typeKey`, which says more than the status: a commit that is not known is answered with 500."""


class AzureRefusal(Failure):
    """The service says no, and by its `type_key` for which reason."""

    def __init__(self, failure: Failure, type_key: str) -> None:
        super().__init__(
            *(failure.trouble, failure.what),
            where=failure.where,
            advice=failure.advice,
            retry_after=failure.retry_after,
            status=failure.status,
        )
        self.type_key = type_key
        self.code = next(iter(_CODE.findall(self.what)), "")
        """Of the message, such as TF402455; nothing where it has none."""


def decoded(answer: Answer, now: datetime) -> Any:
    """The JSON of an answer, None of an empty one. Raises `Failure`."""
    content_of(answer, now, "json")
    return answer.json() if answer.body else None


def content_of(answer: Answer, now: datetime, kind: str = "") -> bytes:
    """What was answered, which is of a content type with `kind` in its name. Raises `Failure`."""
    named = answer.headers.get("content-type", kind).lower()
    is_page = kind not in named or "html" in named
    if answer.status == 203 or (answer.status < 300 and is_page and answer.body):
        raise Failure(
            *(Trouble.DENIED, "answered with a page to sign in at"),
            where=answer.where,
            advice=_SIGN_IN,
            status=401,
        )
    if answer.status >= 300:
        raise refused(answer, now)
    return answer.body


@contextmanager
def shaped(kind: str, where: str) -> Iterator[None]:
    """Turns an answer of another shape into a `Failure`."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        fault = f"the {kind} has another shape ({type(error).__name__})"
        raise Failure(Trouble.MALFORMED, fault, where=where) from error


def refused(answer: Answer, now: datetime) -> AzureRefusal:
    """The failure that an answer is, in the service's own words where it has any."""
    error = _error_of(answer.body)
    type_key = str(error.get("typeKey", ""))
    trouble, advice = _meaning(answer.status, type_key)
    words = str(error.get("message", ""))[:300]
    fault = f"HTTP {answer.status} {words}".strip()
    pause = answer.retry_after(now)
    failure = Failure(trouble, fault, where=answer.where, advice=advice, retry_after=pause, status=answer.status)
    return AzureRefusal(failure, type_key)


def _meaning(status: int, type_key: str) -> tuple[Trouble, str]:
    if status == 429:
        return Trouble.THROTTLED, "it goes on by itself when the pause that the service asks for is over"
    if type_key in _TROUBLES:
        trouble = _TROUBLES[type_key]
        return trouble, "grant what it names" if trouble is Trouble.DENIED else ""
    if status >= 500:
        return Trouble.UNREACHABLE, "the next pass tries again"
    if status == 401:
        return Trouble.DENIED, _SIGN_IN
    if status == 403:
        return Trouble.DENIED, "grant what it names"
    if status in (404, 410):
        return Trouble.MISSING, "check that it exists, is not disabled, and that the credentials may see it"
    return (Trouble.CONFLICT, "") if status == 409 else (Trouble.MALFORMED, "")


def _error_of(body: bytes) -> Mapping[str, Any]:
    """What the service says of an error; nothing for the page of a proxy, whose status says enough."""
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return error if isinstance(error, dict) else {}
