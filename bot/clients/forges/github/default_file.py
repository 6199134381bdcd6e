"""One file as it stands on the default branch of a repository."""

import base64
import binascii
from urllib.parse import quote

from bot.clients.forges.github.connection.access import GitHubAccess
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble


async def default_file(access: GitHubAccess, clock: Clock, repository: str, path: str) -> str:
    """Reads a text by one request; raises `Failure`, also where it is no text or more than a megabyte."""
    transport = Transport(access, clock)
    try:
        row = await transport.read(f"/repos/{repository}/contents/{quote(path)}")
    finally:
        await transport.close()
    with shaped("file"):
        content, encoding = str(row["content"]), row["encoding"]
    try:
        if encoding == "base64":
            return base64.b64decode(content).decode()
    except (binascii.Error, UnicodeDecodeError):
        pass
    raise Failure(Trouble.MALFORMED, f"{path} is no text", where=repository)
