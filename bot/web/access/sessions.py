"""Who signed in through the form: a cookie that the person's own token signs.

So no further secret is needed, replicas know each other's cookies, and a token that is taken away ends its
sessions. Which were ended before their time stands in the store.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from itsdangerous import BadSignature, TimestampSigner

from bot.domain.clock import Clock
from bot.settings.tokens import Person, Token

COOKIE = "freshness_session"
LASTS = timedelta(hours=12)
KEPT = LASTS + timedelta(hours=1)
"""How long it is kept that a session was ended: replicas' clocks differ."""
_LONGEST = 512
_OWN = "~"
"""Stands in no name; what follows tells sessions of one person apart."""


class _Signer(TimestampSigner):
    """Takes the time from our clock."""

    def __init__(self, token: Token, clock: Clock) -> None:
        super().__init__(token.secret, salt="freshness-bot session")
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.now().timestamp())


def cookie_of(token: Token, clock: Clock) -> str:
    """Makes the cookie that a browser shows from now on."""
    return _Signer(token, clock).sign(f"{token.person.name}{_OWN}{secrets.token_urlsafe(12)}").decode()


def person_of_cookie(cookie: str, tokens: Iterable[Token], clock: Clock) -> Person | None:
    """Tells whose session it is, while it lasts."""
    name = cookie.rsplit(".", 2)[0].partition(_OWN)[0]
    token = next((token for token in tokens if token.person.name == name), None)
    if token is None or len(cookie) > _LONGEST:
        return None
    try:
        _Signer(token, clock).unsign(cookie, max_age=int(LASTS.total_seconds()))
    except BadSignature:
        return None
    return token.person


def session_of(cookie: str) -> str:
    """What a right cookie is known by in the store: its signature can be written in several ways, what that signs
    cannot."""
    return hashlib.sha256(cookie.rpartition(".")[0].encode("utf-8", "surrogateescape")).hexdigest()
