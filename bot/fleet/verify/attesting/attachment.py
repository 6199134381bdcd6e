"""Where a statement is attached to its image: a manifest in the layout of cosign that also refers to the image.

One manifest serves both who looks for the tag `sha256-<hex>.att` and who asks for referrers. On registries without
the referrers API the tag `sha256-<hex>` holds an index of them. Both tags are shared with other writers, and no
registry offers compare-and-swap: a document is merged from all that was seen in its place.

Sources: cosign, "Signature and attestation specification"; OCI distribution specification 1.1, "Referrers Tag
Schema".
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.bases.image import OCI_INDEX, OCI_MANIFEST, digest_of, fallback_tag
from bot.domain.images.stated import ENVELOPE, IN_TOTO

EMPTY = b"{}"
OWNER = "io.freshness-bot.verifier"
"""The annotation by which the bot knows its own statement among others'."""

_EMPTY_CONFIG = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": digest_of(EMPTY),
    "size": len(EMPTY),
}

DescriptorFields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A signed statement of one verifier about the image that `subject` describes."""

    subject: DescriptorFields
    envelope: bytes
    verifier: str
    predicate_type: str

    @property
    def tag(self) -> str:
        """cosign's, for attestations; with a longer digest cut off, for which cosign has none."""
        return f"{self.index_tag}.att"

    @property
    def index_tag(self) -> str:
        return fallback_tag(str(self.subject["digest"]))

    @property
    def blobs(self) -> tuple[bytes, ...]:
        """What the manifest names, to be there before it."""
        return self.envelope, EMPTY

    @property
    def layer(self) -> DescriptorFields:
        return {
            "mediaType": ENVELOPE,
            "digest": digest_of(self.envelope),
            "size": len(self.envelope),
            "annotations": {
                "dev.cosignproject.cosign/signature": "",
                "predicateType": self.predicate_type,
                OWNER: self.verifier,
            },
        }

    def manifest(self, descriptors: Iterable[DescriptorFields]) -> bytes:
        """Makes the manifest, with the layers of `descriptors` before its own; an earlier statement of this
        verifier goes."""
        return _document(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "artifactType": IN_TOTO,
                "config": _EMPTY_CONFIG,
                "layers": [*self._of_others(descriptors), self.layer],
                "subject": self.subject,
                "annotations": {OWNER: self.verifier},
            }
        )

    def entry(self, manifest: bytes) -> DescriptorFields:
        """How the index describes the manifest."""
        return {
            "mediaType": OCI_MANIFEST,
            "digest": digest_of(manifest),
            "size": len(manifest),
            "artifactType": IN_TOTO,
            "annotations": {OWNER: self.verifier},
        }

    def index(self, descriptors: Iterable[DescriptorFields], manifest: bytes) -> bytes:
        """The referrers of `descriptors` and this one; an earlier one of this verifier goes."""
        manifests = [*self._of_others(descriptors), self.entry(manifest)]
        return _document({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})

    def _of_others(self, descriptors: Iterable[DescriptorFields]) -> list[DescriptorFields]:
        by_digest: dict[str, DescriptorFields] = {}
        for descriptor in descriptors:
            if owner_of(descriptor) != self.verifier:
                by_digest.setdefault(str(descriptor.get("digest")), descriptor)
        return list(by_digest.values())


def owner_of(descriptor: DescriptorFields) -> str | None:
    """The verifier whose statement it is; None of what the bot did not write."""
    annotations = descriptor.get("annotations")
    owner = annotations.get(OWNER) if isinstance(annotations, Mapping) else None
    return owner if isinstance(owner, str) else None


def entries_of(document: bytes | None, member: str) -> tuple[DescriptorFields, ...]:
    """The `layers` or `manifests` of a document; nothing of none, or of one that is no such document."""
    try:
        content = json.loads(document) if document else {}
    except (ValueError, RecursionError):
        return ()
    entries = content.get(member) if isinstance(content, dict) else None
    return tuple(each for each in entries if isinstance(each, dict)) if isinstance(entries, list) else ()


def _document(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
