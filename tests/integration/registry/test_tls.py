"""A registry whose certificate only the operator knows."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.bases.image import OCI_INDEX, digest_of
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure
from bot.domain.reference import Base
from tests.integration.registry.hostile import Hostile, says

DIGEST = digest_of(b"")


@pytest.fixture
async def private(certificate: Path) -> AsyncIterator[Hostile]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    answer = says(200, {"docker-content-digest": DIGEST, "content-type": OCI_INDEX})
    async with Hostile({"/manifests/1": answer}, tls=context) as registry:
        yield registry


async def digest_seen(access: RegistryAccess) -> str:
    async with Http(hosts=host_rules([access])) as http:
        head = await Registry(http, [access], SystemClock()).head(Base(access.host, "dotnet/aspnet", "1"))
    return head.digest


async def test_a_certificate_that_nobody_vouches_for_is_refused_with_advice(private: Hostile) -> None:
    with pytest.raises(Failure, match="its certificate is not trusted") as caught:
        await digest_seen(RegistryAccess(private.host))
    assert caught.value.advice == "set `ca_file` for this host"


async def test_a_certificate_that_the_operator_vouches_for_is_trusted(private: Hostile, certificate: Path) -> None:
    assert await digest_seen(RegistryAccess(private.host, ca_file=certificate)) == DIGEST


async def test_a_certificate_is_trusted_for_its_host_alone(private: Hostile, certificate: Path) -> None:
    accesses = [RegistryAccess("other.example", ca_file=certificate), RegistryAccess(private.host)]
    async with Http(hosts=host_rules(accesses)) as http:
        with pytest.raises(Failure, match="its certificate is not trusted"):
            await Registry(http, accesses, SystemClock()).head(Base(private.host, "dotnet/aspnet", "1"))
