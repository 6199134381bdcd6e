"""Puts the bot's own statements beside images, through oras.

oras speaks to the registry for writing alone, with credentials of its own; what is there is read by our own client.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import unwrap
from pathlib import Path
from typing import Any, Protocol

import requests
from oras.provider import Registry as Oras
from requests.adapters import HTTPAdapter

from bot.clients.registry.entry import RegistryAccess
from bot.clients.registry.registry import Registry
from bot.domain.bases.image import OCI_INDEX, OCI_MANIFEST, digest_of
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base

SECONDS = 30.0
"""For each request; oras has no time-outs of its own."""
SETTLED_AFTER = 2.0
"""Seconds after which a shared document is read again: what another writer has put over it shows by then."""
MOST_WRITES = 6
"""Of one shared document; each is only repeated where another writer has taken an entry away."""

DescriptorFields = Mapping[str, Any]


class Attachment(Protocol):
    """What is attached, as the documents that a registry keeps of it."""

    @property
    def tag(self) -> str: ...

    @property
    def index_tag(self) -> str: ...

    @property
    def blobs(self) -> tuple[bytes, ...]: ...

    @property
    def layer(self) -> DescriptorFields: ...

    def manifest(self, others: Iterable[DescriptorFields]) -> bytes: ...

    def entry(self, manifest: bytes) -> DescriptorFields: ...

    def index(self, others: Iterable[DescriptorFields], manifest: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Attaching:
    """`pushes` are the accesses for writing, by host; `pause` waits so many seconds."""

    registry: Registry
    pushes: Mapping[str, RegistryAccess]
    entries: Callable[[bytes | None, str], tuple[DescriptorFields, ...]]
    pause: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)

    async def subject(self, place: Base, digest: str) -> DescriptorFields:
        """How the image's own manifest is described. Raises `Failure`."""
        body = await self.registry.manifest(place.registry, place.repository, digest)
        document = json.loads(body)
        kind = document.get("mediaType") or (OCI_INDEX if "manifests" in document else OCI_MANIFEST)
        return {"mediaType": kind, "digest": digest, "size": len(body)}

    async def put(self, place: Base, attachment: Attachment) -> None:
        """Attaches it under its tag, and in the index of referrers where the registry keeps none itself.

        Raises `Failure`: DENIED where the bot may not write, UNREACHABLE where other writers leave it no turn.
        """
        access = self.pushes.get(place.registry)
        if access is None:
            advice = f"set push_username and push_password_file of registries.{place.registry}"
            raise Failure(Trouble.DENIED, "has no credentials for writing", where=place.registry, advice=advice)
        push = _Push(access, place)
        for body in attachment.blobs:
            await asyncio.to_thread(push.blob, body)
        shared = _Shared(self, push, place)
        manifest, keeps_referrers = await shared.write(
            attachment.tag, "layers", attachment.layer, attachment.manifest
        )
        if not keeps_referrers:
            entry = attachment.entry(manifest)
            await shared.write(
                attachment.index_tag, "manifests", entry, lambda others: attachment.index(others, manifest)
            )


@dataclass(frozen=True, slots=True)
class _Shared:
    """A document under a tag that others write too, without compare-and-swap."""

    attaching: Attaching
    push: "_Push"
    place: Base

    async def write(
        self, tag: str, member: str, own: DescriptorFields, merged: Callable[[Iterable[DescriptorFields]], bytes]
    ) -> tuple[bytes, bool]:
        """Writes `merged` of all entries that were ever seen there, until it shows them and `own`.

        Gives what was written last, and whether the registry lists it as a referrer by itself.
        """
        entries = now = await self._entries_there(tag, member)
        for _ in range(MOST_WRITES):
            entries = entries | now
            body = merged(entries.values())
            wanted_digests = {str(each["digest"]) for each in self.attaching.entries(body, member)}
            keeps_referrers = await asyncio.to_thread(self.push.manifest, tag, body)
            await self.attaching.pause(SETTLED_AFTER)
            now = await self._entries_there(tag, member)
            if str(own["digest"]) in now and wanted_digests <= now.keys():
                return body, keeps_referrers
        fault = f"other writers keep replacing {tag}"
        raise Failure(Trouble.UNREACHABLE, fault, where=self.place.name, advice="it is tried again later")

    async def _entries_there(self, tag: str, member: str) -> dict[str, DescriptorFields]:
        body = await self.attaching.registry.tagged(self.place.registry, self.place.repository, tag)
        return {str(each.get("digest")): each for each in self.attaching.entries(body, member)}


class _Push:
    """oras, for one repository of one registry; its methods wait for the network."""

    def __init__(self, access: RegistryAccess, place: Base) -> None:
        self._place = place
        host = access.served_from
        self._oras = _Once(
            hostname=host, insecure=access.insecure, tls_verify=str(access.ca_file) if access.ca_file else True
        )
        for scheme in ("http://", "https://"):
            self._oras.session.mount(scheme, _Timed())
        if access.username is not None:
            self._oras.auth.set_basic_auth(access.username, access.password or "")
        self._container = self._oras.get_container(f"{host}/{place.repository}:x")

    def blob(self, body: bytes) -> None:
        layer = {"digest": digest_of(body), "size": len(body), "mediaType": "application/octet-stream"}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "blob"
            path.write_bytes(body)
            self._ask(lambda: self._oras.upload_blob(str(path), self._container, layer))

    def manifest(self, tag: str, body: bytes) -> bool:
        """Whether the registry answers that it lists the manifest as a referrer of its subject by itself."""
        kind = json.loads(body)["mediaType"]
        url = f"{self._oras.prefix}://{self._container.manifest_url(tag)}"
        answer = self._ask(lambda: self._oras.do_request(url, "PUT", data=body, headers={"Content-Type": kind}))
        return "OCI-Subject" in answer.headers

    def _ask(self, ask: Callable[[], requests.Response]) -> requests.Response:
        place = self._place.name
        try:
            answer = ask()
        except requests.RequestException as error:
            fault = f"gives no answer to writing ({type(error).__name__})"
            raise Failure(Trouble.UNREACHABLE, fault, where=place, advice="it is tried again later") from error
        except ValueError as error:
            # oras has no other word for a challenge that its credentials do not meet.
            raise self._denial(401) from error
        status = answer.status_code
        if status in (401, 403):
            raise self._denial(status)
        if status == 429 or status >= 500:
            trouble = Trouble.THROTTLED if status == 429 else Trouble.UNREACHABLE
            fault, advice = f"takes nothing at present ({status})", "it is tried again later"
            raise Failure(trouble, fault, where=place, advice=advice, status=status)
        if status >= 400:
            raise Failure(Trouble.MALFORMED, f"refuses the statement ({status})", where=place, status=status)
        return answer

    def _denial(self, status: int) -> Failure:
        advice = f"check push_username and push_password_file of registries.{self._place.registry}"
        fault = f"lets nobody write with these credentials ({status})"
        return Failure(Trouble.DENIED, fault, where=self._place.name, advice=advice, status=status)


class _Once(Oras):  # type: ignore[misc] # oras has no types
    """oras, which else repeats every request for two minutes, refused ones and writes as well."""

    do_request = unwrap(Oras.do_request)


class _Timed(HTTPAdapter):
    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        return super().send(request, **{**options, "timeout": SECONDS})
