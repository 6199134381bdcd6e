"""Code scanning: a repository's findings as alerts."""

import base64
import gzip
from urllib.parse import quote

from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.forge.port import TakenIn
from bot.domain.repositories.repository import Identity


async def upload(transport: Transport, repository: Identity, commit: str, branch: str, sarif: bytes) -> str:
    """Uploads a SARIF log for a commit of a branch; its id, by which GitHub tells later whether it took it in.

    A 403 is for want of a licence.
    """
    packed = gzip.compress(sarif, mtime=0)
    body = {"commit_sha": commit, "ref": f"refs/heads/{branch}", "sarif": base64.b64encode(packed).decode()}
    with shaped("upload of findings"):
        answer = await transport.write("POST", f"/repos/{repository.name}/code-scanning/sarifs", body)
        return str(answer["id"])


async def taken_in(transport: Transport, repository: Identity, upload: str) -> TakenIn:
    """What became of an upload: GitHub shows the findings only once it has worked on them."""
    with shaped("state of uploaded findings"):
        answer = await transport.read(f"/repos/{repository.name}/code-scanning/sarifs/{quote(upload, safe='')}")
        errors = tuple(str(each) for each in answer.get("errors") or ())
        match answer["processing_status"]:
            case "pending":
                return TakenIn(is_pending=True)
            case "failed":
                return TakenIn(errors=errors or ("GitHub names no reason",))
            case _:
                return TakenIn()
