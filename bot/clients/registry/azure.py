"""Signing in to an Azure Container Registry as the workload or the machine that the bot runs as.

Microsoft Entra gives a token for who the bot is; the registry exchanges it for a refresh token of its own
(`/oauth2/exchange`), and that for a token for each repository (`/oauth2/token`, as in CNCF Distribution's OAuth2).
Source: Azure/acr, "AAD-OAuth".
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlencode, urlsplit

from bot.clients.entra import AzureIdentity, Credential, credential, entra_token, name_of
from bot.clients.http.client import Http
from bot.clients.registry.challenge import LEEWAY, LONGEST_TOKEN, SignIn
from bot.domain.failure import Failure, Trouble

AUDIENCE = "https://containerregistry.azure.net/.default"
"""What the Entra token is for. Registries of before 2021 also took Azure's management; none needs it."""
DEFAULT_LIFETIME = timedelta(hours=1)
"""Of a refresh token that does not tell when it ends; Azure's are good for three hours."""
LARGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class AzureLogin:
    """`address` is the registry's, without a path.

    `client_id` names one of several identities; without it, the one that the surroundings name.
    """

    address: str
    identity: AzureIdentity
    client_id: str | None = None
    credential_of: Callable[[AzureIdentity, str | None], Credential] = field(
        default=lambda identity, client_id: credential(identity, client_id)
    )

    async def sign_in(self, http: Http) -> SignIn:
        """Asks Entra who the bot is, and the registry for a refresh token in return.

        Raises `Failure`: DENIED where either refuses or the surroundings name no identity, THROTTLED, UNREACHABLE,
        MALFORMED.
        """
        registry = urlsplit(self.address).netloc
        make = partial(self.credential_of, self.identity, self.client_id)
        entra = await entra_token(make, AUDIENCE, self.identity, registry)
        form = {"grant_type": "access_token", "service": registry, "access_token": entra.token}
        answer = await http.request(
            "POST",
            f"{self.address}/oauth2/exchange",
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            content=urlencode(form).encode(),
            max_bytes=LARGEST_ANSWER,
            retry=True,
        )
        if answer.status != 200:
            raise Failure(
                Trouble.DENIED if answer.status in (400, 401, 403) else Trouble.MALFORMED,
                f"does not take the {name_of(self.identity)} of this bot ({answer.status})",
                where=registry,
                advice="grant it AcrPull on the registry, and check that both are in one tenant",
                status=answer.status,
            )
        document = answer.json()
        token = document.get("refresh_token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
            raise Failure(Trouble.MALFORMED, "exchanged a token for none", where=registry)
        ends = _end_of(token) or http.clock.now() + DEFAULT_LIFETIME
        return SignIn(refresh_token=token, expires_at=ends - LEEWAY)


def _end_of(token: str) -> datetime | None:
    """When a JSON web token says that it ends. Not verified: only the registry that issued it is shown it."""
    try:
        payload = token.split(".")[1]
        seconds = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        return datetime.fromtimestamp(float(seconds), UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
