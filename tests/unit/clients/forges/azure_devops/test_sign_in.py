"""Who the bot is to an organisation of Azure DevOps."""

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.entra import AzureIdentity
from bot.clients.forges.azure_devops.sign_in import AUDIENCE, EntraSignIn, PersonalToken
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Meaning, Trouble

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Given:
    token: str
    expires_on: int


@dataclass(slots=True)
class Entra:
    """Gives tokens that are good for an hour, or fails."""

    clock: ManualClock
    asked: list[tuple[AzureIdentity, str | None, str]] = field(default_factory=list)
    fault: Exception | None = None

    def credential_of(self, identity: AzureIdentity, client_id: str | None) -> "Entra":
        self.asked.append((identity, client_id, ""))
        return self

    def get_token(self, *scopes: str) -> Given:
        if self.fault is not None:
            raise self.fault
        self.asked[-1] = (*self.asked[-1][:2], scopes[0])
        return Given(f"token-{len(self.asked)}", int((self.clock.now() + timedelta(hours=1)).timestamp()))


async def test_a_personal_token_is_a_password_without_a_user() -> None:
    said = await PersonalToken("secret").authorization()
    assert base64.b64decode(said.removeprefix("Basic ")) == b":secret"
    assert "secret" not in repr(PersonalToken("secret"))


async def test_an_identity_is_asked_for_once_an_hour_however_many_requests_there_are() -> None:
    clock = ManualClock(NOON)
    entra = Entra(clock)
    sign_in = EntraSignIn(AzureIdentity.WORKLOAD, clock, "the-bot", entra.credential_of)
    assert await asyncio.gather(*(sign_in.authorization() for _ in range(3))) == ["Bearer token-1"] * 3
    assert entra.asked == [(AzureIdentity.WORKLOAD, "the-bot", AUDIENCE)]
    clock.advance(timedelta(minutes=56))
    assert await sign_in.authorization() == "Bearer token-2"
    assert "token-2" not in repr(sign_in)


async def test_an_identity_that_the_surroundings_do_not_name_is_told_with_what_to_do() -> None:
    clock = ManualClock(NOON)
    entra = Entra(clock, fault=ValueError("no federated token file"))
    sign_in = EntraSignIn(AzureIdentity.WORKLOAD, clock, None, entra.credential_of)
    with pytest.raises(Failure, match="no federated token file") as raised:
        await sign_in.authorization()
    assert (raised.value.trouble, raised.value.where) == (Trouble.DENIED, "Azure DevOps")
    assert raised.value.meaning is Meaning.TRANSIENT, "nothing was refused to the bot that it had asked for"
    assert "azure.workload.identity/use" in raised.value.advice
