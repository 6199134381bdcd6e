"""Who the bot is to a registry: asked for once a registry wants to know, by one of several ways.

Sources: CNCF Distribution, "Token Authentication" and "OAuth2"; Docker, "credential stores"; Azure Container
Registry, "AAD-OAuth".
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.clients.http.client import Http


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a token service is shown: `basic` is an Authorization header, `refresh_token` goes into a form.

    At most one of them is set; with neither, the bot is nobody in particular. Good until `expires_at`; None: as
    long as the process runs.
    """

    basic: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    @property
    def is_somebody(self) -> bool:
        return self.basic is not None or self.refresh_token is not None

    def is_good(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


class Login(Protocol):
    """One way to sign in to one registry."""

    async def sign_in(self, http: Http) -> SignIn:
        """Gives what the registry's token service is shown. Raises `Failure`, DENIED above all."""
        ...


@dataclass(frozen=True, slots=True)
class KnownLogin:
    """A sign-in that is known from the start, such as a name with its password."""

    known: SignIn

    async def sign_in(self, http: Http) -> SignIn:
        return self.known
