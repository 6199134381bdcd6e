"""Signing in to an Azure Container Registry as the workload or the machine that the bot runs as.

Microsoft Entra gives a token for who the bot is; the registry exchanges it for a refresh token of its own
(`/oauth2/exchange`), and that for a token for each repository (`/oauth2/token`, as in CNCF Distribution's OAuth2).
Source: Azure/acr, "AAD-OAuth".
"""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from bot.clients.http.client import Http
from bot.clients.registry.challenge import LEEWAY, LONGEST_TOKEN, SignIn
from bot.domain.failure import Failure, Trouble

AUDIENCE = "https://containerregistry.azure.net/.default"
"""What the Entra token is for. Registries of before 2021 also took Azure's management; none needs it."""
DEFAULT_LIFETIME = timedelta(hours=1)
"""Of a refresh token that does not tell when it ends; Azure's are good for three hours."""
LARGEST_ANSWER = 64 * 1024
_EXTRA = "install freshness-bot[azure]"


class AzureIdentity(StrEnum):
    """Who the bot is in Azure: the service account of its pod, or its machine."""

    WORKLOAD = "workload_identity"
    MANAGED = "managed_identity"


class Credential(Protocol):
    """As azure-identity's credentials are."""

    def get_token(self, *scopes: str) -> Any:
        """Gives an object with the `token`."""
        ...


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
        entra_token = await asyncio.to_thread(self._entra_token, registry)
        form = {"grant_type": "access_token", "service": registry, "access_token": entra_token}
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
                f"does not take the {_name_of(self.identity)} of this bot ({answer.status})",
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

    def _entra_token(self, registry: str) -> str:
        """Runs in a thread: azure-identity's credentials of this kind wait for the network."""
        try:
            return str(self.credential_of(self.identity, self.client_id).get_token(AUDIENCE).token)
        except Failure as failure:
            raise failure.altered(where=registry) from None
        except Exception as error:
            raise _refusal_of(error, self.identity, registry) from error


def credential(identity: AzureIdentity, client_id: str | None) -> Credential:
    """Makes azure-identity's credential of this kind. Raises `Failure` (denied) where it is not installed."""
    try:
        from azure.identity import ManagedIdentityCredential, WorkloadIdentityCredential
    except ImportError:
        raise Failure(Trouble.DENIED, "cannot be signed in to without azure-identity", advice=_EXTRA) from None
    # The loop asks again at its own pace; a throttled host is left alone for as long as it asks.
    options: dict[str, Any] = {"retry_total": 0} | ({"client_id": client_id} if client_id else {})
    kinds = {AzureIdentity.WORKLOAD: WorkloadIdentityCredential, AzureIdentity.MANAGED: ManagedIdentityCredential}
    return _Attentive(lambda **more: kinds[identity](**options, **more))


class _Attentive:
    """A credential of azure-identity's that puts the last answer to what it raises: of a machine's identity service
    that is left out, and one that is throttled would look like one that refuses. It is made anew for each token."""

    def __init__(self, make: Callable[..., Credential]) -> None:
        self._answer: Any = None
        self._credential = make(raw_response_hook=self._note)

    def get_token(self, *scopes: str) -> Any:
        try:
            return self._credential.get_token(*scopes)
        except Exception as error:
            if getattr(error, "response", None) is None:
                error.response = self._answer  # type: ignore[attr-defined]
            raise

    def _note(self, response: Any) -> None:
        self._answer = response.http_response


def _refusal_of(error: Exception, identity: AzureIdentity, registry: str) -> Failure:
    """What azure-identity raises, as a `Failure`: one class of it is what was refused and what was not there."""
    answer = getattr(error, "response", None)
    status = getattr(answer, "status_code", None)
    error_text = str(error).strip().partition("\n")[0][:300] or type(error).__name__
    who = "Entra" if identity is AzureIdentity.WORKLOAD else "the machine's identity service"
    if status == 429:
        seconds = str(answer.headers.get("Retry-After", "")) if answer is not None else ""
        wait = timedelta(seconds=int(seconds)) if seconds.isdecimal() and len(seconds) < 6 else None
        fault = f"{who} asks for fewer requests (429)"
        return Failure(Trouble.THROTTLED, fault, where=registry, retry_after=wait, status=429)
    if status is not None and status >= 500:
        return Failure(
            Trouble.UNREACHABLE, f"{who} has trouble of its own ({status})", where=registry, status=status
        )
    return Failure(
        Trouble.DENIED,
        f"Entra gives no token for the {_name_of(identity)} of this bot: {error_text}",
        where=registry,
        advice=_ADVICE[identity],
        status=status,
    )


def _name_of(identity: AzureIdentity) -> str:
    return identity.value.replace("_", " ")


_ADVICE = {
    AzureIdentity.WORKLOAD: "label the pod azure.workload.identity/use and annotate its service account",
    AzureIdentity.MANAGED: "assign an identity to the machine, and name it in client_id where there are several",
}


def _end_of(token: str) -> datetime | None:
    """When a JSON web token says that it ends. Not verified: only the registry that issued it is shown it."""
    try:
        payload = token.split(".")[1]
        seconds = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        return datetime.fromtimestamp(float(seconds), UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
