"""A real registry behind the sandbox's edge, and one that lies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.clients.http.client import Http, Limits
from bot.clients.registry import Registry as RegistryClient
from bot.clients.registry import RegistryAccess, host_rules
from bot.domain.clock import SystemClock
from sandbox.edges.edge import Surroundings
from sandbox.programs import parts
from sandbox.registry import Registry
from tests.certificates import self_signed
from tests.integration.registry.hostile import Hostile

ONCE = Limits(attempts=1)
HASTY = Limits(total=2, attempts=1)
"""Gives up on a slow registry soon, so that the tests end soon."""
PATIENT = Limits(total=10, attempts=1)


@pytest.fixture
def surroundings() -> Surroundings:
    return Surroundings()


@pytest.fixture
async def registry(tmp_path: Path, surroundings: Surroundings) -> AsyncIterator[Registry]:
    if not parts.is_there("docker-registry"):
        pytest.skip(f"docker-registry is missing: {parts.HOW_TO_GET['docker-registry']}")
    found = Registry(tmp_path, surroundings)
    await found.start()
    yield found
    found.stop()


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    async with Hostile() as found:
        yield found


@pytest.fixture
async def client(registry: Registry) -> AsyncIterator[RegistryClient]:
    accesses = [RegistryAccess(registry.host, insecure=True)]
    async with Http(hosts=host_rules(accesses)) as http:
        yield RegistryClient(http, accesses, SystemClock())


@asynccontextmanager
async def client_of(hostile: Hostile, limits: Limits) -> AsyncIterator[RegistryClient]:
    accesses = [RegistryAccess(hostile.host, "user", "secret", insecure=True)]
    async with Http(hosts=host_rules(accesses), limits=limits) as http:
        yield RegistryClient(http, accesses, SystemClock())


@pytest.fixture
async def wary(hostile: Hostile) -> AsyncIterator[RegistryClient]:
    """A client of the hostile registry."""
    async with client_of(hostile, ONCE) as found:
        yield found


@pytest.fixture
async def hasty(hostile: Hostile) -> AsyncIterator[RegistryClient]:
    """The same, with little time."""
    async with client_of(hostile, HASTY) as found:
        yield found


@pytest.fixture
async def patient(hostile: Hostile) -> AsyncIterator[RegistryClient]:
    """The same, with time enough for an honest answer on a busy machine."""
    async with client_of(hostile, PATIENT) as found:
        yield found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a key and a certificate for 127.0.0.1 that nobody else signed."""
    return self_signed(tmp_path_factory.mktemp("certificate") / "registry.pem")
