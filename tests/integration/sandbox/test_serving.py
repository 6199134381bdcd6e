"""A server of the sandbox serves one application at a time."""

import pytest
from starlette.applications import Starlette

from sandbox.edges.serving import Server


def test_a_second_start_is_refused_until_it_was_paused() -> None:
    server = Server(Starlette())
    server.start()
    try:
        with pytest.raises(RuntimeError, match="serves already"):
            server.start()
        server.pause()
        server.start()
    finally:
        server.stop()
