"""The signatures that a registry shows for a digest, wherever they may be kept.

Sources: OCI distribution 1.1 (referrers API, fallback tag), the Notary Project's signature specification, Sigstore
bundles as OCI artifacts, cosign's `sha256-….sig` tag. What a listing says of an artifact is not believed: its
manifest is read, and must name the digest as its subject.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.bases.image import is_digest
from bot.domain.failure import Failure, Trouble

NOTATION = "application/vnd.cncf.notary.signature"
BUNDLE = "application/vnd.dev.sigstore.bundle"
MOST = 50
"""Artifacts of one digest that are looked at."""


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
class Found:
    """One signature as it is kept: `encoded` is an envelope or a bundle, or the manifest of a `.sig` tag with the
    signed `payload` of one of its layers."""

    kind: str
    encoded: bytes
    media_type: str
    payload: bytes | None = None


async def signatures_of(port: SignaturesPort, registry: str, repository: str, digest: str) -> tuple[Found, ...]:
    """All signatures of a digest, none of them judged. What cannot be read as one is left out."""
    found: list[Found] = []
    for each in list(await port.referring(registry, repository, digest))[:MOST]:
        document = _object(await port.manifest(registry, repository, each))
        subject = document.get("subject")
        if not isinstance(subject, dict) or subject.get("digest") != digest:
            continue
        kind = _kind(document)
        if kind is None:
            continue
        for layer in _layers(document)[:1]:
            blob = await port.config(registry, repository, layer["digest"])
            found.append(Found(kind, blob, str(layer.get("mediaType", ""))))
    found += await _of_tag(port, registry, repository, digest)
    return tuple(found)


async def _of_tag(port: SignaturesPort, registry: str, repository: str, digest: str) -> list[Found]:
    """cosign's older layout: a manifest under a tag made of the digest, a layer for each signature."""
    manifest = await port.tagged(registry, repository, f"{digest.replace(':', '-')}.sig")
    if manifest is None:
        return []
    return [
        Found("cosign", manifest, "", await port.config(registry, repository, layer["digest"]))
        for layer in _layers(_object(manifest))[:MOST]
    ]


def _kind(document: Mapping[str, Any]) -> str | None:
    """What the manifest itself says to be, by `artifactType` or, as before 1.1, by the type of its config."""
    config = document.get("config")
    named = document.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    if named == NOTATION:
        return "notation"
    return "sigstore" if isinstance(named, str) and named.startswith(BUNDLE) else None


def _layers(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    layers = document.get("layers")
    listed = layers if isinstance(layers, list) else []
    return [each for each in listed if isinstance(each, dict) and is_digest(str(each.get("digest")))]


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Failure(Trouble.MALFORMED, "a signature's manifest is not JSON") from error
    return document if isinstance(document, dict) else {}
