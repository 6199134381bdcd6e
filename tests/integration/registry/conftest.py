"""A real registry behind the sandbox's edge, and one that lies."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clients.http import Http, Limits
from bot.clients.registry import Registry as RegistryClient
from bot.clients.registry import RegistryAccess, host_rules
from bot.domain.clock import SystemClock
from bot.sandbox import parts
from bot.sandbox.edge import Surroundings
from bot.sandbox.registry import Registry
from tests.integration.registry.hostile import Hostile

SHORT = Limits(connect=2, read=0.5, total=1, patience=0.1, attempts=1)
"""A hostile registry is given up on soon, so that the tests end soon."""


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


@pytest.fixture
async def wary(hostile: Hostile) -> AsyncIterator[RegistryClient]:
    """A client of the hostile registry that has little patience."""
    accesses = [RegistryAccess(hostile.host, "user", "secret", insecure=True)]
    async with Http(hosts=host_rules(accesses), limits=SHORT) as http:
        yield RegistryClient(http, accesses, SystemClock())
