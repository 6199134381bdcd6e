"""The signatures that a registry shows for a digest, wherever they may be kept.

Sources: OCI distribution 1.1 (referrers API, fallback tag), the Notary Project's signature specification, Sigstore
bundles as OCI artifacts, cosign's tags `sha256-….sig`, `.att` and `.sbom` and its later artifacts of their shape.
What a listing says of an artifact is not believed: its manifest is read, and must name the digest as its subject.

What an image stands on and which SBOMs it has are looked for one after the other, among the same attestations. An
index is asked for once for all images in it.
"""

import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from bot.domain.bases.image import fallback_tag, is_digest
from bot.domain.clock import Clock, is_fresh
from bot.domain.failure import Failure, Trouble
from bot.domain.images.stated import BUNDLE, COSIGN, ENVELOPE, NOTATION, Stated, stated_by_media_type
from bot.domain.strict_json import read_strict_json

SBOM = "sbom"
"""What is found of this kind is an SBOM as it is, in no envelope."""
SBOM_TAG = "sbom tag"
"""The same, under cosign's tag `.sbom`."""
VEX = "vex"
"""A VEX document as it is, in no envelope."""
MOST = 50
"""Artifacts of one digest that are looked at."""
CUT = "cut"
"""What is found of this kind stands for what may be left out, as there is more than is looked at."""
_ATTESTATION = "attestation"


class SignaturesPort(Protocol):
    """A registry as far as signatures are concerned; every method raises `Failure`."""

    async def referring(self, registry: str, repository: str, digest: str) -> Sequence[str]:
        """The digests of all manifests that the API and the fallback tag list as referring to `digest`."""
        ...

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes: ...

    async def tagged(self, registry: str, repository: str, tag: str) -> bytes | None:
        """The manifest under a tag; None where there is none."""
        ...

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        """Any small blob by its digest."""
        ...


@dataclass(frozen=True, slots=True)
class AttachedDocument:
    """One signature as it is kept: `encoded` is an envelope or a bundle, or the manifest of a `.sig` tag with the
    signed `payload` of one of its layers."""

    kind: str
    encoded: bytes
    media_type: str
    payload: bytes | None = None
    unreadable: str = ""
    """Why it does not hold whatever it was: what is stored is not what its digest names, or is gone."""


async def signatures_of(
    port: SignaturesPort, registry: str, repository: str, digest: str
) -> tuple[AttachedDocument, ...]:
    """All signatures of a digest, none of them judged. What is none is left out, and what a listing names though it
    is gone.

    One that is stored with other bytes than its digest names is among them as unreadable, so that it does not hide
    the others; so is that there are more than are looked at. Raises `Failure` where the registry does not say.
    """
    referrer_digests = await port.referring(registry, repository, digest)
    documents = await _of_referrers(
        port, registry, repository, digest, ("notation", "sigstore", "cosign"), referrer_digests
    )
    documents += await _of_tag(port, registry, repository, digest, "sig")
    documents += _cut("", referrer_digests)
    return tuple(dict.fromkeys(documents))


async def referrers_of(
    port: SignaturesPort, registry: str, repository: str, digest: str
) -> tuple[Mapping[str, Any], ...]:
    """The manifests of what refers to a digest, each with the `artifactType` that it gives itself.

    One that cannot be read is left out. Raises `Failure` where the registry does not say.
    """
    referrer_digests = await port.referring(registry, repository, digest)
    manifests: list[Mapping[str, Any]] = []
    async for document in _referrers(port, registry, repository, digest, referrer_digests):
        if isinstance(document, Failure):
            _without(document, "a referrer")
        else:
            manifests.append({**document, "artifactType": _read_type(document)})
    return tuple(manifests)


def _cut(kind: str, referrer_digests: Sequence[str]) -> list[AttachedDocument]:
    """What tells that more is listed than is looked at; nothing where it is not."""
    if len(referrer_digests) <= MOST:
        return []
    reason = f"{len(referrer_digests)} artifacts refer to it, of which {MOST} were looked at"
    return [AttachedDocument(kind, b"", "", unreadable=reason)]


async def _referrers(
    port: SignaturesPort, registry: str, repository: str, digest: str, referrer_digests: Sequence[str]
) -> AsyncIterator[Mapping[str, Any] | Failure]:
    """The manifests that refer to a digest by their own word, or why one cannot be had."""
    for referrer in referrer_digests[:MOST]:
        try:
            document = _object(await port.manifest(registry, repository, referrer))
        except Failure as failure:
            yield failure
            continue
        subject = document.get("subject")
        if isinstance(subject, dict) and subject.get("digest") == digest:
            yield document


async def _of_referrers(
    port: SignaturesPort,
    registry: str,
    repository: str,
    digest: str,
    kinds: Sequence[str],
    referrer_digests: Sequence[str],
) -> list[AttachedDocument]:
    documents: list[AttachedDocument] = []
    async for document in _referrers(port, registry, repository, digest, referrer_digests):
        if isinstance(document, Failure):
            documents += _without(document, "a referrer")
        elif _kind(document) in kinds:
            documents += await _of_artifact(port, registry, repository, document)
    return documents


async def _of_artifact(
    port: SignaturesPort, registry: str, repository: str, document: Mapping[str, Any]
) -> list[AttachedDocument]:
    kind = _kind(document)
    if kind is None:
        return []
    if kind in ("cosign", _ATTESTATION):
        return await _of_layers(port, registry, repository, document)
    return await _of_documents(port, registry, repository, kind, _layers(document)[:1])


async def attestations_of(
    port: SignaturesPort, registry: str, repository: str, digest: str
) -> tuple[AttachedDocument, ...]:
    """What is said of a digest, none of it judged: Sigstore bundles, DSSE envelopes, and SBOMs and VEX documents
    as they are; each once, wherever it may be. That there is more than is looked at is told by one of kind `CUT`.

    Raises `Failure` where the registry does not say.
    """
    referrer_digests = await port.referring(registry, repository, digest)
    documents = await _of_referrers(
        port, registry, repository, digest, ("sigstore", _ATTESTATION, SBOM, VEX), referrer_digests
    )
    documents += await _of_tag(port, registry, repository, digest, "att")
    documents += await _of_tag(port, registry, repository, digest, "sbom")
    documents += _cut(CUT, referrer_digests)
    return tuple(dict.fromkeys(documents))


async def _of_tag(
    port: SignaturesPort, registry: str, repository: str, digest: str, suffix: str
) -> list[AttachedDocument]:
    """cosign's older layout: a manifest under a tag made of the digest, a layer for each signature or SBOM."""
    manifest = await port.tagged(registry, repository, f"{fallback_tag(digest)}.{suffix}")
    if manifest is None:
        return []
    try:
        document = _object(manifest)
    except Failure as failure:
        return _without(failure, f"the tag .{suffix}")
    if suffix == "sbom":
        return await _of_documents(port, registry, repository, SBOM_TAG, _layers(document)[:MOST])
    return await _of_layers(port, registry, repository, document)


async def _of_documents(
    port: SignaturesPort, registry: str, repository: str, kind: str, layers: Sequence[Mapping[str, Any]]
) -> list[AttachedDocument]:
    """Fetches each layer as a document of its own, as it is."""
    documents: list[AttachedDocument] = []
    for layer in layers:
        blob, unreadable = await _blob(port, registry, repository, layer)
        documents.append(AttachedDocument(kind, blob, str(layer.get("mediaType", "")), unreadable=unreadable))
    return documents


async def _of_layers(
    port: SignaturesPort, registry: str, repository: str, document: Mapping[str, Any]
) -> list[AttachedDocument]:
    documents: list[AttachedDocument] = []
    for layer in _layers(document)[:MOST]:
        payload, unreadable = await _blob(port, registry, repository, layer)
        alone = json.dumps({"layers": [layer]}).encode()
        documents.append(AttachedDocument("cosign", alone, "", payload, unreadable))
    return documents


async def _blob(
    port: SignaturesPort, registry: str, repository: str, layer: Mapping[str, Any]
) -> tuple[bytes, str]:
    """Fetches what a layer names, or tells why it cannot be had."""
    try:
        return await port.config(registry, repository, layer["digest"]), ""
    except Failure as failure:
        if failure.trouble not in (Trouble.MISSING, Trouble.MALFORMED):
            raise
        return b"", failure.told


def _without(failure: Failure, label: str) -> list[AttachedDocument]:
    """What stands for a manifest that cannot be had; raises what may be otherwise the next time."""
    if failure.trouble is Trouble.MISSING:
        return []
    if failure.trouble is not Trouble.MALFORMED:
        raise failure
    return [AttachedDocument("", b"", "", unreadable=f"{label} cannot be read: {failure.told}")]


def _read_type(document: Mapping[str, Any]) -> object:
    """What the manifest itself says to be, by `artifactType` or, as before 1.1, by the type of its config."""
    config = document.get("config")
    return document.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)


def _kind(document: Mapping[str, Any]) -> str | None:
    own_type = _read_type(document)
    if own_type == NOTATION:
        return "notation"
    if own_type == COSIGN:
        return "cosign"
    if isinstance(own_type, str) and own_type.startswith(BUNDLE):
        return "sigstore"
    kinds = [own_type, *(layer.get("mediaType") for layer in _layers(document)[:1])]
    if ENVELOPE in kinds:
        return _ATTESTATION
    stated = {stated_by_media_type(kind) for kind in kinds if isinstance(kind, str)}
    return VEX if Stated.VEX in stated else SBOM if Stated.SBOM in stated else None


def _layers(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    layers = document.get("layers")
    layer_list = layers if isinstance(layers, list) else []
    return [each for each in layer_list if isinstance(each, dict) and is_digest(str(each.get("digest")))]


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = read_strict_json(body)
    except (ValueError, RecursionError) as error:
        raise Failure(Trouble.MALFORMED, "a signature's manifest is not JSON") from error
    return document if isinstance(document, dict) else {}


LISTED_FOR = timedelta(minutes=4)
"""How long a listing or a tag counts as it was seen: less than a build is given to attach what it says of its
image. What has a digest never changes."""
MOST_BYTES = 32 * 1024 * 1024
"""Kept altogether, of what was asked for last."""
_LARGEST = 4 * 1024 * 1024
_COUNTED_APART = 200
"""Bytes that an answer counts beside its own: for the names that it is found by."""

Answer = TypeVar("Answer", bytes, bytes | None, tuple[str, ...])
_Any = bytes | tuple[str, ...] | None
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Memory:
    answer: _Any
    at: datetime
    size: int


class LookedOnce:
    """Answers like the registry behind it, from memory where that was asked before. A failure is not kept."""

    def __init__(self, port: SignaturesPort, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._memories: OrderedDict[_Key, _Memory] = OrderedDict()
        self._bytes = 0

    async def referring(self, registry: str, repository: str, digest: str) -> Sequence[str]:
        async def ask() -> tuple[str, ...]:
            return tuple(await self._port.referring(registry, repository, digest))

        return await self._once(("referring", registry, repository, digest), ask, LISTED_FOR)

    async def tagged(self, registry: str, repository: str, tag: str) -> bytes | None:
        return await self._once(
            ("tagged", registry, repository, tag), lambda: self._port.tagged(registry, repository, tag), LISTED_FOR
        )

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        return await self._once(
            ("manifest", registry, repository, digest), lambda: self._port.manifest(registry, repository, digest)
        )

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        return await self._once(
            ("config", registry, repository, digest), lambda: self._port.config(registry, repository, digest)
        )

    async def _once(
        self, key: _Key, ask: Callable[[], Awaitable[Answer]], counts_for: timedelta | None = None
    ) -> Answer:
        memory = self._memories.get(key)
        now = self._clock.now()
        if memory is not None and (counts_for is None or is_fresh(memory.at, now, counts_for)):
            self._memories.move_to_end(key)
            return memory.answer  # type: ignore[return-value] # a key has answers of one kind
        answer = await ask()
        self._keep(key, _Memory(answer, now, _size(answer)))
        return answer

    def _keep(self, key: _Key, memory: _Memory) -> None:
        before = self._memories.pop(key, None)
        self._bytes -= before.size if before is not None else 0
        if memory.size > _LARGEST:
            return
        self._memories[key] = memory
        self._bytes += memory.size
        while self._bytes > MOST_BYTES:
            _, oldest = self._memories.popitem(last=False)
            self._bytes -= oldest.size


def _size(answer: _Any) -> int:
    match answer:
        case bytes():
            return len(answer) + _COUNTED_APART
        case tuple():
            return sum(map(len, answer)) + _COUNTED_APART
        case _:
            return _COUNTED_APART
