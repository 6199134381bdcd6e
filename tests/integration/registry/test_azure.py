"""Signing in to an Azure Container Registry as a workload and as a machine, over HTTPS."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from bot.clients.entra import AzureIdentity
from bot.clients.http.client import Http, Limits
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.clients.registry.azure import AzureLogin
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from tests.integration.registry.azure import (
    ASSERTION,
    DIGEST,
    ENTRA,
    EXCHANGE,
    EXPIRED_ASSERTION,
    MACHINE,
    TOKEN,
    Azure,
)

TENANT = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(scope="module")
def served(certificate: Path) -> Iterator[Azure]:
    with Azure(certificate).serving() as azure:
        yield azure


@pytest.fixture
def azure(served: Azure) -> Azure:
    served.forget()
    return served


@pytest.fixture(autouse=True)
def surroundings(azure: Azure, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives what a pod with a workload identity and a machine with an identity find around them."""
    assertion = tmp_path / "assertion"
    assertion.write_text(ASSERTION)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.url)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", "the-bot")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(assertion))
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url)
    return assertion


@pytest.fixture(params=AzureIdentity)
def identity(request: pytest.FixtureRequest, surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> AzureIdentity:
    """Each who the bot may be; a machine has no token of a pod's service account around it."""
    identity: AzureIdentity = request.param
    if identity is AzureIdentity.MANAGED:
        monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    return identity


@asynccontextmanager
async def client(
    azure: Azure, identity: AzureIdentity = AzureIdentity.WORKLOAD, client_id: str | None = None
) -> AsyncIterator[Registry]:
    login = AzureLogin(azure.url, identity, client_id)
    accesses = [RegistryAccess(azure.host, ca_file=azure.certificate, login=login)]
    async with Http(hosts=host_rules(accesses), limits=Limits(attempts=1)) as http:
        yield Registry(http, accesses, SystemClock())


def golden(azure: Azure, repository: str = "golden/aspnet") -> Base:
    return Base(azure.host, repository, "10.0")


async def refusal(
    azure: Azure, identity: AzureIdentity = AzureIdentity.WORKLOAD, client_id: str | None = None
) -> Failure:
    async with client(azure, identity, client_id) as registry:
        with pytest.raises(Failure) as caught:
            await registry.head(golden(azure))
    return caught.value


async def test_who_the_bot_is_lets_it_in(azure: Azure, identity: AzureIdentity) -> None:
    async with client(azure, identity) as registry:
        assert (await registry.head(golden(azure))).digest == DIGEST


async def test_one_sign_in_serves_all_repositories(azure: Azure) -> None:
    async with client(azure) as registry:
        for repository in ("golden/aspnet", "golden/sdk", "shop"):
            await registry.head(golden(azure, repository))
    assert azure.asked.count("/oauth2/exchange") == 1
    assert azure.asked.count("/oauth2/token") == 3


async def test_a_refresh_token_that_ends_is_exchanged_anew(azure: Azure) -> None:
    azure.lifetime = 4
    async with client(azure) as registry:
        await registry.head(golden(azure))
        azure.lifetime = 3600
        await registry.head(golden(azure, "shop"))
    assert azure.asked.count("/oauth2/exchange") == 2


async def test_a_refresh_token_that_was_taken_back_is_exchanged_once_more(azure: Azure) -> None:
    async with client(azure) as registry:
        await registry.head(golden(azure))
        azure.taken_back = _All()
        with pytest.raises(Failure, match=r"gets no token from .* \(401\)"):
            await registry.head(golden(azure, "shop"))
        azure.taken_back = set()
        assert (await registry.head(golden(azure, "shop"))).digest == DIGEST
    assert azure.asked.count("/oauth2/exchange") == 2


async def test_a_registry_that_does_not_take_the_identity_says_what_to_grant(
    azure: Azure, identity: AzureIdentity
) -> None:
    """The token is for another audience than the registry takes."""
    azure.audience = "https://management.azure.com"
    failure = await refusal(azure, identity)
    assert failure.trouble is Trouble.DENIED
    who = identity.value.replace("_", " ")
    assert str(failure).startswith(f"{azure.host}: does not take the {who} of this bot (401)")
    assert failure.advice == "grant it AcrPull on the registry, and check that both are in one tenant"


async def test_a_token_of_entra_that_ended_on_its_way_is_refused_and_not_tried_again(azure: Azure) -> None:
    azure.entra_lifetime = -60
    failure = await refusal(azure)
    assert (failure.trouble, failure.status) == (Trouble.DENIED, 401)
    assert azure.asked.count(EXCHANGE) == 1


async def test_what_entra_refuses_is_told_in_its_words(azure: Azure, surroundings: Path) -> None:
    surroundings.write_text("another service account's token")
    failure = await refusal(azure)
    assert failure.trouble is Trouble.DENIED
    assert "AADSTS700213: No matching federated identity record found" in str(failure)
    assert ASSERTION not in str(failure)


async def test_a_service_account_token_that_ended_is_told_in_entra_s_words(
    azure: Azure, surroundings: Path
) -> None:
    surroundings.write_text(EXPIRED_ASSERTION)
    failure = await refusal(azure)
    assert failure.trouble is Trouble.DENIED
    assert "AADSTS700024: Client assertion is not within its valid time range" in str(failure)
    assert EXPIRED_ASSERTION not in str(failure)


@pytest.mark.parametrize("place", [ENTRA, EXCHANGE, TOKEN])
async def test_whoever_throttles_is_left_alone_for_as_long_as_it_asks(azure: Azure, place: str) -> None:
    azure.answers[place] = JSONResponse({"error": "too_many"}, 429, {"Retry-After": "17"})
    failure = await refusal(azure)
    assert failure.trouble is Trouble.THROTTLED
    assert failure.retry_after is not None
    assert failure.retry_after.total_seconds() == 17
    assert len([path for path in azure.asked if path.endswith(place)]) == 1


@pytest.mark.parametrize("place", [ENTRA, EXCHANGE, TOKEN])
async def test_trouble_on_the_other_side_refuses_nobody(azure: Azure, place: str) -> None:
    azure.answers[place] = Response(status_code=503)
    assert (await refusal(azure)).trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("status", "trouble"), [(429, Trouble.THROTTLED), (503, Trouble.UNREACHABLE), (400, Trouble.DENIED)]
)
async def test_a_machine_s_identity_service_in_trouble_refuses_nobody(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, status: int, trouble: Trouble
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    told = {"error": "trouble", "error_description": "try again later"}
    azure.answers[MACHINE] = JSONResponse(told, status, {"Retry-After": "17"})
    identity = f"the-bot-{status}"  # azure-identity keeps a machine's tokens for the whole process
    failure = await refusal(azure, AzureIdentity.MANAGED, identity)
    assert failure.trouble is trouble
    assert failure.retry_after == (timedelta(seconds=17) if status == 429 else None)
    assert len(azure.asked) == 1


@pytest.mark.parametrize("place", [EXCHANGE, TOKEN])
@pytest.mark.parametrize("document", [{}, {"refresh_token": 1}, {"access_token": ""}, []])
async def test_an_answer_without_a_token_is_malformed(azure: Azure, place: str, document: object) -> None:
    azure.answers[place] = JSONResponse(document)
    assert (await refusal(azure)).trouble is Trouble.MALFORMED


async def test_surroundings_without_an_identity_say_how_to_get_one(
    azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    failure = await refusal(azure)
    assert failure.trouble is Trouble.DENIED
    assert failure.advice == "label the pod azure.workload.identity/use and annotate its service account"


class _All(set[str]):
    def __contains__(self, item: object) -> bool:
        return True
