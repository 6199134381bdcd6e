"""Code scanning: a repository's findings as alerts."""

import base64
import gzip

from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.repositories.repository import Identity


async def upload(transport: Transport, repository: Identity, commit: str, branch: str, sarif: bytes) -> None:
    """Uploads a SARIF log for a commit of a branch; GitHub takes it in later. A 403 is for want of a licence."""
    packed = gzip.compress(sarif, mtime=0)
    body = {"commit_sha": commit, "ref": f"refs/heads/{branch}", "sarif": base64.b64encode(packed).decode()}
    with shaped("upload of findings"):
        await transport.write("POST", f"/repos/{repository.name}/code-scanning/sarifs", body)
