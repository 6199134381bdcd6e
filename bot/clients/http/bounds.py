"""What is accepted of an HTTP answer: waits and redirects, and how failures are put. No input or output."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from bot.domain.failure import LONGEST_PAUSE, Failure, Trouble

IDEMPOTENT = frozenset({"GET", "HEAD"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NO_URL = "redirects to something that is no URL"


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Retry-After in either of its forms, seconds or an HTTP-date (RFC 9110, section 10.2.3), else None.

    A moment in the past is no wait at all; more than a day is cut to a day.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_PAUSE)


def host_of(url: httpx.URL) -> str:
    """`name` or `name:port`, without userinfo."""
    return url.netloc.decode("ascii", "replace")


def where_of(url: httpx.URL) -> str:
    """Host and path, for a person; no query, no userinfo."""
    return f"{host_of(url)}{url.path}"


def is_same_host(first: httpx.URL, second: httpx.URL) -> bool:
    return (first.host, first.port) == (second.host, second.port)


def address(text: str, beside: httpx.URL | None = None) -> httpx.URL | None:
    """Reads a URL; None where the text is none, or has a host or port that only asking there would find out.

    httpx decodes a host's name when it is used, and leaves it to the socket to refuse a port; neither is caught.
    """
    try:
        url = httpx.URL(text) if beside is None else beside.join(text)
        readable = url.host is not None and (url.port or 0) < 65536
    except (httpx.InvalidURL, ValueError):
        return None
    return url if readable else None


def redirect_target(method: str, url: httpx.URL, location: str, allowed: frozenset[str]) -> httpx.URL:
    """Returns where a redirect leads. Raises `Failure` (malformed) that says why it is not followed.

    TLS is never given up, another host must be in `allowed` (or `*` be), and only GET and HEAD are sent on.
    """
    place = where_of(url)
    if method not in IDEMPOTENT:
        raise Failure(Trouble.MALFORMED, f"redirects a {method}, which is not followed", where=place)
    target = address(location, url)
    if target is None:
        raise Failure(Trouble.MALFORMED, NO_URL, where=place)
    if not target.host or target.userinfo or target.scheme not in ("https", url.scheme):
        fault = f"redirects to {target.scheme}://{where_of(target)[:200]}, which is not followed"
        raise Failure(Trouble.MALFORMED, fault, where=place)
    if not (is_same_host(url, target) or "*" in allowed or host_of(target) in allowed):
        fault = f"redirects to another host, {host_of(target)[:200]}, which is not followed"
        raise Failure(Trouble.MALFORMED, fault, where=place, advice="correct the configured address")
    return target


def unreachable(error: httpx.HTTPError, place: str) -> Failure:
    """Turns an error of httpx into the failure of a host that gave no answer, with what to do about it."""
    if is_untrusted(error):
        fault, advice = "its certificate is not trusted", "set `ca_file` for this host"
    elif isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        fault, advice = "cannot be connected to", "check its name and the network"
    elif isinstance(error, httpx.TimeoutException):
        fault, advice = "was silent for too long", "it is tried again later"
    else:
        fault, advice = f"broke off the conversation ({type(error).__name__})", "it is tried again later"
    return Failure(Trouble.UNREACHABLE, fault, where=place, advice=advice)


def is_untrusted(error: BaseException | None) -> bool:
    return isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def headers_for_another_host(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keeps of the headers what tells a foreign host nothing of who asks."""
    return {name: value for name, value in headers if name.lower() == "accept"}
