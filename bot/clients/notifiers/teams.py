"""Posting to Microsoft Teams by a Workflows webhook, which can do nothing else.

The webhook takes a card before its flow posts it, and never says which message it became: nothing can be edited or
answered. Old connectors answered 200 with their refusal in the text, so the text is read too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clients.http.client import Http
from bot.domain.failure import Failure, Trouble

_WHERE = "Teams webhook"
_TAKEN = frozenset({200, 201, 202})
_REFUSAL = "returned HTTP error"
_LARGEST_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TeamsWebhook:
    """`url` as a whole is the secret: it is sent as it stands, and never shown."""

    http: Http
    url: str = field(repr=False)

    async def post(self, card: Mapping[str, Any]) -> None:
        """Posts an Adaptive Card; after a broken connection it may be posted twice. Raises `Failure`."""
        body = {
            "type": "message",
            "attachments": [
                {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
            ],
        }
        answer = await self.http.request(
            "POST",
            self.url,
            headers={"Content-Type": "application/json"},
            content=json.dumps(body, ensure_ascii=False).encode(),
            max_bytes=_LARGEST_ANSWER,
            place=_WHERE,
            retry=False,
        )
        answer_text = answer.body[:200].decode("utf-8", "replace")
        if answer.status not in _TAKEN or _REFUSAL in answer_text:
            raise _failure(answer.status, answer_text)


def _failure(status: int, answer_text: str) -> Failure:
    if status == 429 or "error 429" in answer_text:
        trouble, fault, advice = Trouble.THROTTLED, "asks for a pause", "it is sent later"
    elif status in (401, 403, 404, 410):
        advice = "create the workflow anew, and put its URL into teams.webhook_file"
        trouble, fault = Trouble.MISSING, "is not there any more"
    elif status >= 500:
        trouble, fault, advice = Trouble.UNREACHABLE, f"status {status}", "it is sent later"
    else:
        trouble, fault, advice = Trouble.MALFORMED, f"refused the card: status {status}", "check the address"
    return Failure(trouble, fault, where=_WHERE, advice=advice, status=status)
