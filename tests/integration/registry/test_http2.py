"""A server that speaks HTTP/2 alone."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from bot.clients.http.client import HostRules, Http, Limits
from bot.domain.failure import Failure, Trouble


class Http2Server:
    """Answers 200 to everything but `/silent`, which it never answers; counts its connections."""

    def __init__(self) -> None:
        self.connections = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        spoken = H2Connection(H2Configuration(client_side=False))
        spoken.initiate_connection()
        writer.write(spoken.data_to_send())
        while data := await reader.read(65536):
            for event in spoken.receive_data(data):
                if isinstance(event, RequestReceived) and dict(event.headers)[b":path"] != b"/silent":
                    spoken.send_headers(event.stream_id, [(":status", "200"), ("x", "y")], end_stream=True)
            writer.write(spoken.data_to_send())
        writer.close()


@pytest.fixture
async def served(certificate: Path) -> AsyncIterator[tuple[Http2Server, str]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2"])
    server = Http2Server()
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=context)
    yield server, f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    listening.close()


async def test_requests_share_one_connection(served: tuple[Http2Server, str], certificate: Path) -> None:
    server, host = served
    async with Http(hosts={host: HostRules(ca_file=certificate)}) as http:
        first = await http.request("HEAD", f"https://{host}/")
        await asyncio.gather(*(http.request("HEAD", f"https://{host}/{number}") for number in range(8)))
    assert (first.status, first.headers["X"]) == (200, "y")
    assert server.connections == 1


async def test_a_request_without_an_answer_does_not_spoil_the_others(
    served: tuple[Http2Server, str],
    certificate: Path,
) -> None:
    _, host = served
    async with Http(hosts={host: HostRules(ca_file=certificate)}, limits=Limits(total=0.5, attempts=1)) as http:
        silent = asyncio.ensure_future(http.request("GET", f"https://{host}/silent"))
        await asyncio.sleep(0)
        with pytest.raises(Failure) as caught:
            await silent
        assert caught.value.trouble is Trouble.UNREACHABLE
        for number in range(5):
            assert (await http.request("HEAD", f"https://{host}/{number}")).status == 200
