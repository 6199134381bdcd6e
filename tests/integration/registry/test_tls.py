"""A registry whose certificate only the operator knows."""

import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.clients.http import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure
from bot.domain.image import OCI_INDEX, digest_of
from bot.domain.reference import Base
from tests.integration.registry.hostile import Hostile, says

DIGEST = digest_of(b"")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A PEM file with a key and a certificate for 127.0.0.1 that nobody else signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "registry.pem"
    path.write_bytes(private + signed.public_bytes(pem))
    return path


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
