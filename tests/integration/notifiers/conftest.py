from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from bot.clients.http.client import HostRules, Http
from sandbox.world import World


@pytest.fixture
async def http(shared_world: World) -> AsyncIterator[Http]:
    shared_world.faults.clear()
    async with Http(hosts={urlsplit(shared_world.slack.url).netloc: HostRules(insecure=True)}) as found:
        yield found
