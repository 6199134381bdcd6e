"""Who the bot is in Azure, as Microsoft Entra tells it: the service account of its pod, or its machine."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.failure import Failure, Trouble

_EXTRA = "install freshness-bot[azure]"


class AzureIdentity(StrEnum):
    """Who the bot is in Azure: the service account of its pod, or its machine."""

    WORKLOAD = "workload_identity"
    MANAGED = "managed_identity"


@dataclass(frozen=True, slots=True)
class EntraToken:
    """What Entra gives for an identity; `ends_at` is long past where it does not tell."""

    token: str
    ends_at: datetime


class Credential(Protocol):
    """As azure-identity's credentials are."""

    def get_token(self, *scopes: str) -> Any:
        """Gives an object with the `token`, and in `expires_on` the second when it ends."""
        ...


async def entra_token(
    make: Callable[[], Credential], audience: str, identity: AzureIdentity, where: str
) -> EntraToken:
    """A token of an identity, by a credential made for it. Raises `Failure`: DENIED, THROTTLED, UNREACHABLE.

    In a thread: azure-identity's credentials of this kind wait for the network.
    """
    try:
        found = await asyncio.to_thread(lambda: make().get_token(audience))
    except Failure as failure:
        raise failure.altered(where=where) from None
    except Exception as error:
        raise _refusal_of(error, identity, where) from error
    return EntraToken(str(found.token), datetime.fromtimestamp(int(getattr(found, "expires_on", 0)), UTC))


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


def _refusal_of(error: Exception, identity: AzureIdentity, where: str) -> Failure:
    """What azure-identity raises, as a `Failure`: one class of it is what was refused and what was not there."""
    answer = getattr(error, "response", None)
    status = getattr(answer, "status_code", None)
    error_text = str(error).strip().partition("\n")[0][:300] or type(error).__name__
    who = "Entra" if identity is AzureIdentity.WORKLOAD else "the machine's identity service"
    if status == 429:
        seconds = str(answer.headers.get("Retry-After", "")) if answer is not None else ""
        wait = timedelta(seconds=int(seconds)) if seconds.isdecimal() and len(seconds) < 6 else None
        fault = f"{who} asks for fewer requests (429)"
        return Failure(Trouble.THROTTLED, fault, where=where, retry_after=wait, status=429)
    if status is not None and status >= 500:
        return Failure(Trouble.UNREACHABLE, f"{who} has trouble of its own ({status})", where=where, status=status)
    return Failure(
        Trouble.DENIED,
        f"Entra gives no token for the {name_of(identity)} of this bot: {error_text}",
        where=where,
        advice=_ADVICE[identity],
        status=status,
    )


def name_of(identity: AzureIdentity) -> str:
    return identity.value.replace("_", " ")


_ADVICE = {
    AzureIdentity.WORKLOAD: "label the pod azure.workload.identity/use and annotate its service account",
    AzureIdentity.MANAGED: "assign an identity to the machine, and name it in client_id where there are several",
}
