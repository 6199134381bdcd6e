"""GitHub as PyGithub sees it; its calls block, which the sandbox allows: it is served from threads of its own."""

from collections.abc import Iterator

import pytest
from github import Auth, Github

from sandbox.world import World


@pytest.fixture
def bot(shared_world: World) -> Iterator[Github]:
    """The bot's own view of the shared world, with nothing of earlier tests in the log."""
    shared_world.traffic.forget()
    shared_world.faults.clear()
    with Github(
        auth=Auth.Token(shared_world.github.token),
        base_url=shared_world.github.url,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    ) as client:
        yield client
