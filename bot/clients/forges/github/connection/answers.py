"""What GitHub's answers mean: their JSON, the next page, and failures in words for a maintainer."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import AccessDenied, Denial, RepositoryArchived, RepositoryMoved

FOUND = 302
"""How GitHub sends whoever asks for a file to where that is; a repository of another name is told by 301 or 307."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPTED = "x-accepted-github-permissions"
"""The header in which GitHub says what would have done: `;` stands for or, `,` for and."""
_DENIALS = (
    (Denial.IP_ALLOW_LIST, re.compile(r"IP allow list", re.I)),
    (Denial.SINGLE_SIGN_ON, re.compile(r"SAML enforcement|SAML SSO", re.I)),
    (Denial.EVENT, re.compile(r"Event '[\w-]+' is not allowed to trigger", re.I)),
)
_ARCHIVED = re.compile(r"archived so is read-only", re.I)
LOCATION = "x-redirected-to"
"""The name under which the transport keeps a `location` header."""


def throttled(pause: timedelta, place: str, status: int | None = None) -> Failure:
    """The text names no moment: it is shown to maintainers, for whom it would change with every look."""
    return Failure(
        Trouble.THROTTLED,
        "the rate limit is reached",
        where=place,
        advice="it goes on by itself when GitHub's pause is over",
        retry_after=pause,
        status=status,
    )


def decoded(text: str, place: str) -> Any:
    """Raises `Failure`: a proxy's page that comes with 200 is no answer of GitHub, as little as silence is."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failure(
            Trouble.UNREACHABLE, "the answer is no JSON", where=place, advice="check github.api_url and any proxy"
        ) from error


def refused_redirect(status: int, path: str, headers: Mapping[str, Any], host: str, place: str) -> Failure:
    """Returns the failure that a redirect is, which is never followed: what was renamed is looked up again by its
    id.

    Its old name may be another's by now.

    One to another host, or of something else than a repository, is a wrong address.
    """
    target = urlsplit(str(headers.get(LOCATION, "")))
    is_here = target.netloc in ("", host) and target.path.startswith("/")
    if is_here and path.startswith("/repos/"):
        return RepositoryMoved(place)
    fault = f"HTTP {status} is a redirect to elsewhere"
    return Failure(Trouble.MALFORMED, fault, where=place, advice="check github.api_url", status=status)


def refused(
    trouble: Trouble,
    message: str,
    place: str,
    advice: str,
    status: int | None = None,
    headers: Mapping[str, Any] = MappingProxyType({}),
) -> Failure:
    """The failure that an answer is; `message` is what it says itself."""
    if _ARCHIVED.search(message):
        return RepositoryArchived(place)
    fault = message if status is None else f"HTTP {status} {message}".strip()
    if (denial := denial_in(message)) is not None:
        return AccessDenied(denial, fault, place, status=status)
    accepted = str(headers.get(_ACCEPTED, ""))
    if trouble is Trouble.DENIED and accepted:
        return AccessDenied(Denial.RIGHT, fault, place, _rights_in(accepted), status)
    return Failure(trouble, fault, where=place, advice=advice, status=status)


def denial_in(message: str) -> Denial | None:
    """The reason that GitHub gives for denying something; None where it gives none of those that are known."""
    return next((denial for denial, text in _DENIALS if text.search(message)), None)


def _rights_in(accepted: str) -> str:
    """`contents=write,workflows=write; administration=write` in words: of the alternatives any one will do."""
    alternatives = [part.strip() for part in accepted.split(";") if part.strip()]
    rights_texts = [
        " and ".join(right.strip().replace("=", ": ").replace("_", " ") for right in part.split(","))
        for part in alternatives
    ]
    return ", or ".join(rights_texts)


def error_body(text: str) -> Any:
    """What GitHub says about an error; None for the page of a proxy, whose status says enough."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def next_page(link: str) -> str | None:
    for part in link.split(","):
        target, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return target.strip().strip("<>")
    return None


def meaning(status: int) -> tuple[Trouble, str]:
    if status >= 500:
        return Trouble.UNREACHABLE, "the next pass tries again"
    if status == 401:
        return Trouble.DENIED, "check github.token_file or the App's private key"
    if status == 451:
        return Trouble.DENIED, "GitHub has blocked the repository"
    if status == 403:
        return Trouble.DENIED, "grant contents, pull requests and actions: read and write"
    if status in (404, 410):
        return Trouble.MISSING, "check that it exists and that the credentials may see it"
    if status in (409, 422):
        return Trouble.CONFLICT, ""
    return Trouble.MALFORMED, "check github.api_url"


def details(data: Any) -> str:
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    inner = [
        str(error.get("message") or error.get("code") or "") if isinstance(error, dict) else str(error)
        for error in (errors if isinstance(errors, list) else [])
    ]
    return "; ".join(text for text in [str(data.get("message", "")), *inner] if text)[:300]
