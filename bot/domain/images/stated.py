"""What is kept beside an image, and what it states: the one table of media types and predicate types.

A container (a Sigstore bundle, a DSSE envelope, a layer under a tag of cosign) states nothing itself: the statement
in it does, by its predicate. What the table does not name answers no question.

Sources: the Notary Project's signature specification; cosign's specifications of signatures and attestations (the
payload of simple signing, `https://sigstore.dev/cosign/sign/v1` of its bundles); the predicate types of SLSA, SPDX,
CycloneDX, OpenVEX and in-toto.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NOTATION = "application/vnd.cncf.notary.signature"
BUNDLE = "application/vnd.dev.sigstore.bundle"
COSIGN = "application/vnd.dev.cosign.artifact.sig.v1+json"
COSIGN_SBOM = "application/vnd.dev.cosign.artifact.sbom.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
"""A statement: what a DSSE envelope holds, and what BuildKit keeps as a layer."""

COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
PROVENANCE_V0_2 = "https://slsa.dev/provenance/v0.2"
PROVENANCE_V1 = "https://slsa.dev/provenance/v1"
SUMMARY_V1 = "https://slsa.dev/verification_summary/v1"
OPENVEX = "https://openvex.dev/ns"
"""How the context of a document begins as well."""


class Stated(StrEnum):
    """What a document beside an image states, which is the question that it may answer."""

    SIGNATURE = "a signature"
    """That somebody signs the image, and nothing more."""
    PROVENANCE = "provenance"
    SBOM = "an SBOM"
    SCAN = "a scanner's report"
    VEX = "a VEX document"
    SUMMARY = "a verification summary"


@dataclass(frozen=True, slots=True)
class _Row:
    """How one thing is stated. A predicate type of a family may go on behind a `/`, `@` or `#`, with a version."""

    stated: Stated
    predicates: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    """Beginnings of the types of what is no statement: the document as it is."""
    payloads: tuple[str, ...] = ()
    """The `critical.type` of a document of simple signing."""
    must_say: tuple[str, str] | None = None
    """A member of the predicate with the only value that counts."""


_TABLE = (
    _Row(
        Stated.SIGNATURE,
        predicates=(COSIGN_SIGN,),
        media_types=(NOTATION, COSIGN),
        payloads=("cosign container image signature", "atomic container signature"),
    ),
    _Row(Stated.PROVENANCE, predicates=(PROVENANCE_V0_2, PROVENANCE_V1)),
    _Row(
        Stated.SBOM,
        families=("https://spdx.dev/Document", "https://cyclonedx.org/bom", "https://cyclonedx.org/schema"),
        media_types=("application/spdx+json", "text/spdx", "application/vnd.cyclonedx", COSIGN_SBOM),
    ),
    _Row(
        Stated.SCAN,
        predicates=("cosign.sigstore.dev/attestation/vuln/v1",),
        families=("https://cosign.sigstore.dev/attestation/vuln", "https://in-toto.io/attestation/vulns"),
    ),
    _Row(
        Stated.VEX,
        families=(OPENVEX,),
        media_types=("application/vex+json", "application/openvex", "application/vnd.openvex"),
    ),
    _Row(
        Stated.SUMMARY,
        predicates=("https://slsa.dev/verification_summary/v0.2", SUMMARY_V1),
        must_say=("verificationResult", "PASSED"),
    ),
)


def stated_by_predicate(predicate_type: str, predicate: Mapping[str, Any] | None = None) -> Stated | None:
    """What a statement of this type states; None for a type that is not known.

    Where the predicate is given, also None for one that must not count, as a summary that did not pass.
    """
    row = next((each for each in _TABLE if _is_of(predicate_type, each)), None)
    if row is None:
        return None
    if predicate is not None and row.must_say is not None:
        member, value = row.must_say
        return row.stated if predicate.get(member) == value else None
    return row.stated


def stated_by_media_type(media_type: str) -> Stated | None:
    """What a document of this media type states as it is; None for containers, and for a type that is not known."""
    return next((each.stated for each in _TABLE if media_type.startswith(each.media_types)), None)


def stated_by_payload(kind: object) -> Stated | None:
    """What a document of simple signing states, by its `critical.type`."""
    return next((each.stated for each in _TABLE if kind in each.payloads), None)


def _is_of(predicate_type: str, row: _Row) -> bool:
    if predicate_type in (*row.predicates, *row.families):
        return True
    return any(predicate_type.startswith(f"{family}{mark}") for family in row.families for mark in ("/", "@", "#"))
