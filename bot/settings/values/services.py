"""Addresses of services that apprise knows, one a line, as far as a look at them tells."""

import re
from dataclasses import dataclass, field

_MAIL = "brevo mailersend mailgun o365 postmark resend sendgrid smtp2go sparkpost"
_CHAT = (
    "dingtalk discord feishu flock gchat groupme lark line matrixs mmosts nctalks revolt rockets ryver synologys "
    "tgram twist webex wecombot wxteams zohocliq zulip"
)
_ON_CALL = (
    "barks betterstack firehydrant goalerts gotifys ilert incidentio ntfys opsgenie pagerduty pagertree pbul pover "
    "signals signl4 spike splunk squadcast"
)
_OWN_RECEIVERS = "apprises forms jsons xmls"
SERVICES = frozenset(f"{_MAIL} {_CHAT} {_ON_CALL} {_OWN_RECEIVERS}".split())
"""What stands before `://`: services that are sent to by HTTPS alone, with certificates checked and no redirect
followed where that is asked for. A test holds each to apprise's own code."""

_MOST = 20
_ADDRESS = re.compile(r"([a-z0-9]{1,32})://[^\s]+", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceUrl:
    """One line of the file; `url` as a whole is a secret, `service` is not."""

    line: int
    service: str
    url: str = field(repr=False)


def service_urls(text: str) -> tuple[ServiceUrl, ...]:
    """Reads the addresses; empty lines and those that begin with `#` are left out.

    Raises `ValueError` naming the line, and nothing of it but the service.
    """
    urls = tuple(
        _service_url(number, line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#")
    )
    if not urls:
        raise ValueError("names no service; write SERVICE://… on a line of its own")
    if len(urls) > _MOST:
        raise ValueError(f"names more than {_MOST} services")
    return urls


def _service_url(number: int, text: str) -> ServiceUrl:
    address = _ADDRESS.fullmatch(text)
    if address is None:
        raise ValueError(f"has no address of a service in line {number}; write one SERVICE://… a line")
    service = address[1].lower()
    if service in SERVICES:
        return ServiceUrl(number, service, text)
    if f"{service}s" in SERVICES:
        raise ValueError(f"would send in the clear in line {number}: write {service}s:// for {service}://")
    raise ValueError(f"has {service}:// in line {number}, none of: {', '.join(sorted(SERVICES))}")
