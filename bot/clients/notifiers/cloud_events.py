"""Posting news to any receiver as CloudEvents 1.0 in structured JSON, signed as Standard Webhooks 1.0 says.

What is sent again has the same id, in the event and in `webhook-id`, by which a receiver tells that it has it.
Sources: CloudEvents 1.0.2 with its JSON and HTTP bindings; https://www.standardwebhooks.com, "Signature scheme".
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clients.http.client import Http
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble

_WHERE = "webhook of events"
_SOURCE = "urn:freshness-bot"
_TAKEN = range(200, 300)
_LARGEST_ANSWER = 1024 * 1024
_PREFIX = "whsec_"


def key_in(text: str) -> bytes:
    """The key that a secret stands for: base64, mostly behind `whsec_`. Raises `ValueError` where it is none."""
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("is no base64") from error


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One piece of news; `kind` with the `version` of its data makes its type, `subject` is what it is about."""

    kind: str
    subject: str
    text: str
    data: Mapping[str, Any]
    version: int = 1

    @property
    def id(self) -> str:
        """The same for the same news, however often and by whomever it is sent."""
        return hashlib.sha256(f"{self.subject}\n{self.text}".encode()).hexdigest()[:32]

    @property
    def type(self) -> str:
        return f"freshness-bot.{self.kind}.v{self.version}"

    def as_json(self) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": _SOURCE,
            "type": self.type,
            "subject": self.subject,
            "datacontenttype": "application/json",
            "data": dict(self.data),
        }


@dataclass(frozen=True, slots=True)
class EventsWebhook:
    """`url` as a whole is a secret, as is the `key` that signs; neither is shown. No redirect is followed."""

    http: Http
    clock: Clock
    url: str = field(repr=False)
    key: bytes = field(repr=False)

    async def post(self, event: CloudEvent) -> None:
        """Sends one event; after a broken connection it may arrive twice, under one id. Raises `Failure`."""
        body = json.dumps(event.as_json(), ensure_ascii=False).encode()
        moment = str(int(self.clock.now().timestamp()))
        answer = await self.http.request(
            "POST",
            self.url,
            headers={
                "Content-Type": "application/cloudevents+json; charset=utf-8",
                "webhook-id": event.id,
                "webhook-timestamp": moment,
                "webhook-signature": f"v1,{signature(self.key, event.id, moment, body)}",
            },
            content=body,
            max_bytes=_LARGEST_ANSWER,
            place=_WHERE,
            retry=False,
        )
        if answer.status not in _TAKEN:
            raise _failure(answer.status)


def signature(key: bytes, id: str, moment: str, body: bytes) -> str:  # noqa: A002 - the word of the standard
    """HMAC-SHA256 over id, seconds since 1970 and body, in base64."""
    signed = b".".join((id.encode(), moment.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _failure(status: int) -> Failure:
    if status == 429:
        trouble, fault, advice = Trouble.THROTTLED, "asks for a pause", "it is sent later"
    elif status in (401, 403):
        trouble, fault = Trouble.DENIED, f"refuses the event: status {status}"
        advice = "check that both sides have the same secret"
    elif status in (404, 410):
        trouble, fault = Trouble.MISSING, "is not there any more"
        advice = "put its new URL into events.webhook_file"
    elif status >= 500:
        trouble, fault, advice = Trouble.UNREACHABLE, f"status {status}", "it is sent later"
    else:
        trouble, fault, advice = Trouble.MALFORMED, f"refused the event: status {status}", "check the address"
    return Failure(trouble, fault, where=_WHERE, advice=advice, status=status)
