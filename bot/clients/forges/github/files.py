"""Contents of files: many at once by GraphQL, one by one what that cannot tell, and a few by name of many
repositories."""

import asyncio
import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.bulk import Bulk, nodes_fields
from bot.clients.forges.github.connection.connections import GitHubAccess
from bot.clients.forges.github.connection.graphql import Variables, in_parts
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchFile
from bot.domain.repositories.repository import Identity, blob_name

LARGEST_FILE = 1024 * 1024
"""Bytes; nobody writes a larger one by hand."""
_MOST_BLOBS = 50

_BLOB = "fragment blob on Blob { oid byteSize isBinary isTruncated text }"
FILE = f"""
fragment entry on TreeEntry {{ oid mode type object {{ ...blob }} }}
{_BLOB}"""


async def blob(transport: Transport, repository: Identity, sha: str) -> bytes:
    """A file's content; raises `Failure` where it is not what its name says."""
    data = await transport.read(f"/repos/{repository.name}/git/blobs/{sha}")
    with shaped("blob"):
        content = str(data["content"])
        body = content.encode() if data.get("encoding") == "utf-8" else base64.b64decode(content)
    if blob_name(body, sha) != sha:
        raise Failure(Trouble.MALFORMED, f"the content is not that of {sha[:12]}", where=repository.name)
    return body


@dataclass(slots=True)
class _BlobQuestion:
    """Files of one repository that somebody waits for."""

    repository: Identity
    shas: Sequence[str]
    contents: "asyncio.Future[dict[str, bytes]]"

    def tell(self, bodies: dict[str, bytes]) -> None:
        if not self.contents.done():  # who asked may have been cancelled
            self.contents.set_result(bodies)


@dataclass(slots=True)
class GatheredBlobs:
    """Many files in one request: what is asked for at the same time goes together, also for several repositories.

    While a request is under way, what is asked for meanwhile gathers for the next one.
    """

    transport: Transport
    gather_for: float = 0.25
    """Seconds that a question waits for others."""
    _waiting: list[_BlobQuestion] = field(default_factory=list)
    _sending: "asyncio.Task[None] | None" = None

    async def of(self, repository: Identity, shas: Sequence[str]) -> dict[str, bytes]:
        """The contents by sha. What GraphQL cuts, or cannot show as text, is read by itself."""
        names = list(dict.fromkeys(shas))
        bodies: dict[str, bytes] = {}
        if repository.node_id is not None:
            for part in in_parts(names, _MOST_BLOBS):
                bodies |= await self._gather(repository, part)
        for sha in names:
            if sha not in bodies:
                bodies[sha] = await blob(self.transport, repository, sha)
        return bodies

    async def _gather(self, repository: Identity, shas: Sequence[str]) -> dict[str, bytes]:
        question = _BlobQuestion(repository, shas, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())
        return await question.contents

    async def _send_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(self.gather_for)
            batch = self._batch()
            try:
                await self._send(batch)
            except BaseException as error:
                for question in [*batch, *(self._waiting if not isinstance(error, Failure) else ())]:
                    if not question.contents.done():
                        question.contents.set_exception(error)
                if not isinstance(error, Failure):
                    raise

    def _batch(self) -> list[_BlobQuestion]:
        """Takes as many files as fit into one request, and one at least."""
        room = _MOST_BLOBS
        batch: list[_BlobQuestion] = []
        while self._waiting and (not batch or len(self._waiting[0].shas) <= room):
            batch.append(self._waiting.pop(0))
            room -= len(batch[-1].shas)
        return batch

    async def _send(self, batch: Sequence[_BlobQuestion]) -> None:
        answers = await _ask_batch(self.transport, batch)
        if answers is not None:
            for question, bodies in zip(batch, answers, strict=True):
                question.tell(bodies)
        elif len(batch) > 1:
            middle = len(batch) // 2
            await self._send(batch[:middle])
            await self._send(batch[middle:])
        elif len(batch[0].shas) > 1:
            await self._send_halves(batch[0])
        else:
            batch[0].tell({})  # by itself, then

    async def _send_halves(self, whole: _BlobQuestion) -> None:
        loop = asyncio.get_running_loop()
        halves = [
            _BlobQuestion(whole.repository, part, loop.create_future())
            for part in in_parts(whole.shas, (len(whole.shas) + 1) // 2)
        ]
        for half in halves:
            await self._send([half])
        whole.tell({sha: body for half in halves for sha, body in half.contents.result().items()})


async def _ask_batch(transport: Transport, batch: Sequence[_BlobQuestion]) -> list[dict[str, bytes]] | None:
    """What one request shows of each; None where it was too much for one."""
    variables = Variables()
    roots = []
    for number, question in enumerate(batch):
        root = variables.add(f"r{number}", "ID!", question.repository.node_id or "")
        fields = " ".join(
            f"b{place}: object(expression: {variables.add(f'o{number}_{place}', 'String!', sha)}) {{ ...blob }}"
            for place, sha in enumerate(question.shas)
        )
        roots.append(f"r{number}: node(id: {root}) {{ ... on Repository {{ {fields} }} }}")
    document = f"query blobs{variables.declared} {{ {' '.join(roots)} }} {_BLOB}"
    try:
        graph = await transport.query(document, variables.values)
    except Failure as failure:
        if failure.status in (502, 504):
            return None
        raise
    if graph.is_too_heavy:
        return None
    for error in graph.errors:
        if error.kind != "NOT_FOUND":
            raise error.failure(graph.place)
    with shaped("blobs"):
        return [_bodies(question, graph.data.get(f"r{number}") or {}) for number, question in enumerate(batch)]


def _bodies(question: _BlobQuestion, rows: Mapping[str, Any]) -> dict[str, bytes]:
    bodies = {}
    for place, sha in enumerate(question.shas):
        body = _text_of(rows[f"b{place}"]) if rows.get(f"b{place}") else None
        if body is not None and blob_name(body, sha) == sha:
            bodies[sha] = body
    return bodies


async def shown_contents(
    transport: Transport, repository: Identity, rows: Iterable[Mapping[str, Any]]
) -> dict[str, bytes]:
    """Returns the contents of shown files by sha; those that GraphQL could not show as text are read by REST."""
    contents: dict[str, bytes] = {}
    for row in rows:
        sha, content_row = str(row["oid"]), row["object"]
        if sha in contents or not _is_file(row) or not content_row or int(content_row["byteSize"]) > LARGEST_FILE:
            continue
        body = _text_of(content_row)
        is_whole = body is not None and blob_name(body, sha) == sha
        contents[sha] = body if body is not None and is_whole else await blob(transport, repository, sha)
    return contents


def file_of(path: str, row: Mapping[str, Any], contents: Mapping[str, bytes]) -> BranchFile | None:
    """Turns an entry into a file; None for what is no file: a folder, a symbolic link, a submodule."""
    if not _is_file(row):
        return None
    sha = str(row["oid"])
    return BranchFile(path, sha, contents.get(sha), _mode(row))


def _is_file(row: Mapping[str, Any]) -> bool:
    return row["type"] == "blob" and _mode(row) in ("100644", "100755")


def _mode(row: Mapping[str, Any]) -> str:
    """GitHub gives git's octal mode as a decimal number."""
    return format(int(row["mode"]), "o")


def _text_of(row: Mapping[str, Any]) -> bytes | None:
    if row.get("isBinary") or row.get("isTruncated") or row.get("text") is None:
        return None
    return str(row["text"]).encode("utf-8", "surrogatepass")


Files = Mapping[Identity, Mapping[str, bytes]]
_MOST_REPOSITORIES = 20
"""Of one field, with some ten files each."""


async def chosen_files(transport: Transport, repositories: Sequence[Identity], paths: Sequence[str]) -> Files:
    """Those that their default branches have, but for what GitHub cuts short; repositories that were never listed,
    are gone or may not be seen are left out."""
    by_node = {each.node_id: each for each in repositories if each.node_id is not None}
    fields = " ".join(
        f"f{number}: object(expression: {dumps(f'HEAD:{path}')}) {{ ... on Blob {{ text isTruncated }} }}"
        for number, path in enumerate(paths)
    )
    parts = nodes_fields(list(by_node), f"... on Repository {{ id {fields} }}", _MOST_REPOSITORIES)
    contents: dict[Identity, Mapping[str, bytes]] = {}
    shown_rows = (await Bulk(transport).ask("files", parts)).rows
    for node_id, row in shown_rows.items():
        with shaped("files"):
            texts = {path: row[f"f{number}"] for number, path in enumerate(paths)}
            contents[by_node[node_id]] = {
                path: str(blob_row["text"]).encode()
                for path, blob_row in texts.items()
                if blob_row and blob_row.get("text") is not None and not blob_row["isTruncated"]
            }
    return contents


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
