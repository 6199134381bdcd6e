"""Where BuildKit stores what it attests: manifests beside the images in an index, older and newer layout.

Source: BuildKit's "Image attestation storage". The older layout is an image manifest with an empty configuration,
the newer one an artifact whose `subject` is the image that it is about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.images.stated import IN_TOTO
from bot.images.signatures.strictly import member
from bot.images.signatures.verdict import Refused

ARTIFACT_TYPE = "application/vnd.docker.attestation.manifest.v1+json"

_TYPE = "vnd.docker.reference.type"
_ABOUT = "vnd.docker.reference.digest"
_ATTESTATION = "attestation-manifest"
_PREDICATE_TYPE = "in-toto.io/predicate-type"
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Attested:
    """A manifest of attestations, and the image in the same index that it is about."""

    digest: str
    about: str


@dataclass(frozen=True, slots=True)
class StatementBlob:
    """One statement in such a manifest. The predicate's type is what the manifest says; the blob's own counts."""

    digest: str
    size: int
    predicate_type: str


def is_attestation(descriptor: Mapping[str, Any]) -> bool:
    """Whether an entry of an index holds attestations. Such an entry is never an image to run or to build on."""
    annotations = descriptor.get("annotations")
    platform = descriptor.get("platform")
    is_nowhere = isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == (
        "unknown",
        "unknown",
    )
    is_marked = isinstance(annotations, dict) and _TYPE in annotations
    return is_nowhere or is_marked or descriptor.get("artifactType") == ARTIFACT_TYPE


def attested_in(index: Mapping[str, Any]) -> tuple[Attested, ...]:
    """The manifests of attestations that an index lists, each with an image that the index lists as well."""
    manifests = [one for one in member(index, "manifests", list, "the index")[:_MOST] if isinstance(one, dict)]
    images = {one.get("digest") for one in manifests if not is_attestation(one)}
    return tuple(attestation for attestation in _attested(manifests) if attestation.about in images)


def statements_in(manifest: Mapping[str, Any], about: str) -> tuple[StatementBlob, ...]:
    """The statements that a manifest of attestations holds; refuses one that says it is about another image."""
    if "subject" in manifest and member(manifest["subject"], "digest", str, "the manifest's subject") != about:
        raise Refused(f"the attestations are about another image than {about}")
    layers = member(manifest, "layers", list, "the manifest")
    if len(layers) > _MOST:
        raise Refused(f"the manifest has more than {_MOST} layers")
    return tuple(_read_blob(layer) for layer in layers if _is_statement(layer))


def _attested(manifests: list[dict[str, Any]]) -> Iterator[Attested]:
    for descriptor in manifests:
        annotations = descriptor.get("annotations")
        if not isinstance(annotations, dict) or annotations.get(_TYPE) != _ATTESTATION:
            continue
        digest, about = descriptor.get("digest"), annotations.get(_ABOUT)
        if isinstance(digest, str) and isinstance(about, str):
            yield Attested(digest, about)


def _is_statement(layer: object) -> bool:
    return isinstance(layer, dict) and layer.get("mediaType") == IN_TOTO


def _read_blob(layer: dict[str, Any]) -> StatementBlob:
    annotations = layer.get("annotations")
    kind = annotations.get(_PREDICATE_TYPE) if isinstance(annotations, dict) else None
    return StatementBlob(
        digest=member(layer, "digest", str, "a layer of the manifest"),
        size=member(layer, "size", int, "a layer of the manifest"),
        predicate_type=kind if isinstance(kind, str) else "",
    )
