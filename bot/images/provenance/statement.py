"""In-toto statements, bare or in a DSSE envelope: what is said, and of which artifacts.

Sources: the in-toto attestation framework (Statement v0.1 and v1) and DSSE 1.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.images.stated import IN_TOTO
from bot.images.signatures.strictly import from_base64, member, read_object
from bot.images.signatures.verdict import Refused

LARGEST = 16 * 1024 * 1024

_TYPES = ("https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1")
_MOST_SUBJECTS = 4096
_MOST_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class Subject:
    """One artifact that a statement is about: its name as written, its digests as `algorithm:hex`."""

    name: str
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim about artifacts. Who makes it, a signature around it tells.

    A predicate that is a text, as cosign has it for files of a form that it does not read, stands under `Data`.
    """

    predicate_type: str
    subjects: tuple[Subject, ...]
    predicate: Mapping[str, Any]

    def is_about(self, digest: str) -> bool:
        return any(digest in subject.digests for subject in self.subjects)


@dataclass(frozen=True, slots=True)
class DsseEnvelope:
    """A payload with signatures over it and over its type."""

    payload_type: str
    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def signed(self) -> bytes:
        """The bytes that are signed: DSSE's pre-authentication encoding, which binds the type as well."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def read_statement(text: bytes) -> Statement:
    """Reads a bare statement, as BuildKit stores it."""
    document = read_object(text, "the statement", limit=LARGEST)
    if document.get("_type") not in _TYPES:
        raise Refused(f"a statement of the type {str(document.get('_type'))[:80]!r} is not known")
    subjects = member(document, "subject", list, "the statement")
    if len(subjects) > _MOST_SUBJECTS:
        raise Refused(f"the statement has more than {_MOST_SUBJECTS} subjects")
    predicate = document.get("predicate")
    if isinstance(predicate, str):
        predicate = {"Data": predicate}
    return Statement(
        predicate_type=member(document, "predicateType", str, "the statement"),
        subjects=tuple(_read_subject(subject) for subject in subjects),
        predicate=predicate if isinstance(predicate, dict) else {},
    )


def read_dsse(document: Mapping[str, Any]) -> DsseEnvelope:
    """Reads the envelope in a JSON object; nothing of it is proved yet."""
    signatures = member(document, "signatures", list, "the DSSE envelope")
    if not 1 <= len(signatures) <= _MOST_SIGNATURES:
        raise Refused(f"the DSSE envelope must have 1 to {_MOST_SIGNATURES} signatures")
    return DsseEnvelope(
        payload_type=member(document, "payloadType", str, "the DSSE envelope"),
        payload=from_base64(member(document, "payload", str, "the DSSE envelope"), "the payload"),
        signatures=tuple(
            from_base64(member(one, "sig", str, "a signature of the envelope"), "a signature") for one in signatures
        ),
    )


def statement_in(envelope: DsseEnvelope) -> Statement:
    if envelope.payload_type != IN_TOTO:
        raise Refused(f"the envelope holds {envelope.payload_type[:80]!r}, not an in-toto statement")
    return read_statement(envelope.payload)


def digests(digest_set: object) -> frozenset[str]:
    """Reads a digest set as texts `algorithm:hex`; what is no text is left out."""
    if not isinstance(digest_set, dict):
        return frozenset()
    return frozenset(f"{name}:{value}" for name, value in digest_set.items() if isinstance(value, str))


def _read_subject(subject: object) -> Subject:
    name = subject.get("name") if isinstance(subject, dict) else None
    return Subject(
        name=name if isinstance(name, str) else "",
        digests=digests(member(subject, "digest", dict, "a subject of the statement")),
    )
