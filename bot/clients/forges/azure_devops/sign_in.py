"""Who the bot is to an organisation of Azure DevOps: by a token of its own, or as Entra vouches for it."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from bot.clients.entra import AzureIdentity, Credential, EntraToken, credential, entra_token
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import SightLost

AUDIENCE = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""What the Entra token is for: Azure DevOps, whichever organisation."""
_WHERE = "Azure DevOps"
_LEEWAY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A personal access token, which is good for one organisation."""

    token: str = field(repr=False)

    async def authorization(self) -> str:
        return "Basic " + base64.b64encode(f":{self.token}".encode()).decode()


@dataclass(slots=True)
class EntraSignIn:
    """An identity that the organisation has added; its token is good for an hour, and asked for anew before."""

    identity: AzureIdentity
    clock: Clock
    client_id: str | None = None
    credential_of: Callable[[AzureIdentity, str | None], Credential] = credential
    _token: EntraToken | None = field(default=None, init=False, repr=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def authorization(self) -> str:
        """Raises `Failure`; an identity that Entra does not take has lost its sight, and is refused nothing."""
        async with self._turn:
            if self._token is None or self._token.ends_at - _LEEWAY <= self.clock.now():
                make = partial(self.credential_of, self.identity, self.client_id)
                try:
                    self._token = await entra_token(make, AUDIENCE, self.identity, _WHERE)
                except Failure as failure:
                    if failure.trouble is not Trouble.DENIED:
                        raise
                    raise SightLost(failure.what, _WHERE, failure.advice) from failure
            return f"Bearer {self._token.token}"
