"""Published signatures with one field altered or left out: refused, or there is a reason to take them still.

The reasons are by field. What they leave valid still binds the same digest to the same signer at the same time.
"""

import base64
import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any

import cbor2
import pytest

from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless
from bot.images.signatures.der import SEQUENCE, DerElement, read_der
from bot.images.signatures.notation.names import read_identity
from bot.images.signatures.notation.trust_store import load_stores
from bot.images.signatures.notation.verifying import NotationPolicy, WhenTimestamped, verify_notation
from bot.images.signatures.verdict import SignatureVerdict
from tests.unit.images.signatures.evidence import EVIDENCE, cases, needs_evidence

_ENTRY = "verificationMaterial.tlogEntries.*"
_STAMPS = "verificationMaterial.timestampVerificationData"
_TSA_NOTE = "a timestamp that does not hold counts for nothing; the log's own time, which it signed, stands"
OF_BUNDLES = {
    "verificationMaterial.x509CertificateChain.certificates.*": "only the first signs; the root knows the others",
    "verificationMaterial.x509CertificateChain.certificates.*.rawBytes": "the same",
    f"{_ENTRY}.inclusionProof": "the oldest bundles (0.1) prove an entry by the log's promise",
    f"{_ENTRY}.inclusionProof.checkpoint.envelope": "names in it are hints; witnesses beside the log are not asked",
    f"{_ENTRY}.logIndex": "without a promise nobody signs it; the place in the log is the proof's own",
    f"{_ENTRY}.logId.keyId": "without a promise the log is the one whose key signed the checkpoint",
    "messageSignature.messageDigest": "a hint: the signature is held against the file, and a wrong one is refused",
    _STAMPS: _TSA_NOTE,
    f"{_STAMPS}.rfc3161Timestamps": _TSA_NOTE,
    f"{_STAMPS}.rfc3161Timestamps.*": _TSA_NOTE,
    f"{_STAMPS}.rfc3161Timestamps.*.signedTimestamp": f"{_TSA_NOTE}; its signer's name is unsigned",
    "dsseEnvelope.signatures.*.keyid": "a hint that DSSE leaves unsigned",
}
OF_ENVELOPES = {
    "io.cncf.notary.signingAgent": "tells the tool; nobody signs it, and nothing goes by it",
    "io.cncf.notary.SigningAgent": "a header that is not known, which nobody signs",
    "token.digest algorithms": "a list of hints; each signer names its own",
    "token.certificates": "certificates beside the path from the signer to the trusted root are not needed",
    "token.algorithm": "parameters of an algorithm that has none",
    "token.unsigned attributes": "they are not signed, and not read",
}


def fields(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all members, and of the first and the last of each list."""
    members = list(document.items() if isinstance(document, dict) else enumerate(document))
    if isinstance(document, list):
        members = members[:1] + members[1:][-1:]
    for name, value in members:
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from fields(value, (*path, name))


def altered(value: Any) -> Iterator[Any]:
    """The value with one bit of it altered at its begin, in its middle and at its end; and None to leave it out."""
    yield None
    match value:
        case bytes() if value:
            for place in _places(value):
                yield value[:place] + bytes([value[place] ^ 4]) + value[place + 1 :]
        case str() if value:
            yield from _texts(value)
        case bool():
            yield not value
        case int():
            yield value + 1


def _texts(value: str) -> Iterator[str]:
    try:
        content = base64.b64decode(value, validate=True)
    except ValueError:  # binascii.Error is one; so is a text beyond ASCII
        for place in _places(value):
            yield value[:place] + chr(ord(value[place]) ^ 4) + value[place + 1 :]
    else:
        yield from (base64.b64encode(each).decode() for each in altered(content) if each)
    yield value + "A"
    if value.isdecimal():
        yield str(int(value) + 1)


def _places(value: str | bytes) -> set[int]:
    return {0, len(value) // 3, len(value) // 2, len(value) - 1}


def each_altered(document: Any) -> Iterator[tuple[str, Any]]:
    """Every field's name, without the places in lists, with a document in which that field is altered."""
    for path in list(fields(document)):
        holder: Any = document
        for name in path[:-1]:
            holder = holder[name]
        for value in altered(holder[path[-1]]):
            changed = deepcopy(document)
            place = changed
            for name in path[:-1]:
                place = place[name]
            if value is None:
                del place[path[-1]]
            else:
                place[path[-1]] = value
            yield ".".join("*" if isinstance(name, int) else str(name) for name in path), changed


def unexplained(
    before: SignatureVerdict, after: Iterator[tuple[str, SignatureVerdict]], reasons: dict[str, str]
) -> set[str]:
    assert before.is_valid
    kept = (before.signer, before.issuer, before.digest, before.signed_at)
    found = set()
    for field, verdict in after:
        is_same = (verdict.signer, verdict.issuer, verdict.digest) == kept[:3]
        if verdict.is_valid and not (field in reasons and is_same):
            found.add(field)
    return found


def valid_cases(kind: str, file: str) -> list[Any]:
    """The first valid case for each file, the ones that name an identity before those that accept anybody."""
    found: dict[Any, dict[str, Any]] = {}
    for case in cases(kind):
        expected = case["expected"]
        if (expected if isinstance(expected, str) else expected["strict"]) == "valid":
            found[case[file], str(case.get("verify_timestamp")), str(case.get("trust_stores"))] = case
    return [pytest.param(case, id=case["id"]) for case in found.values()]


@pytest.mark.long
@needs_evidence
@pytest.mark.parametrize("case", valid_cases("sigstore", "bundle"))
def test_a_bundle_with_one_field_altered_is_refused_or_says_the_same(case: dict[str, Any]) -> None:
    folder = EVIDENCE / "sigstore"
    document = json.loads((folder / case["bundle"]).read_bytes())
    root = read_trusted_root((folder / case["trusted_root"]).read_bytes())
    who = case["identity"] or {"san": None, "issuer": None}
    policy = accepting([who["san"]] if who["san"] else [], [], who["issuer"])
    asked = SignedSubject(digest=case["digest"])
    if case["artifact"]:
        asked = SignedSubject((folder / case["artifact"]).read_bytes())

    def judged(changed: Any) -> SignatureVerdict:
        return verify_keyless(json.dumps(changed).encode(), root, policy, asked)

    after = ((field, judged(changed)) for field, changed in each_altered(document))
    assert unexplained(judged(document), after, OF_BUNDLES) == set()


@needs_evidence
@pytest.mark.parametrize("case", valid_cases("notation", "file"))
def test_an_envelope_with_one_field_altered_is_refused_or_says_the_same(case: dict[str, Any]) -> None:
    folder = EVIDENCE / "notation"
    policy = NotationPolicy(
        store=load_stores(folder / case["trust_dir"], case["trust_stores"]),
        identities=tuple(read_identity(text) for text in case["trusted_identities"]),
        timestamp=WhenTimestamped(case["verify_timestamp"]),
    )
    encoded = (folder / case["file"]).read_bytes()

    def judged(changed: bytes) -> SignatureVerdict:
        at = datetime.fromisoformat(case["verify_at"])
        return verify_notation(changed, case["media_type"], policy, at)

    make = altered_cose if case["media_type"] == "application/cose" else altered_jws
    after = [(field, judged(changed)) for field, changed in make(encoded)]
    if any(field == "token" and verdict.is_valid for field, verdict in after):  # none is asked for
        after = [(field, verdict) for field, verdict in after if not field.startswith("token")]
    assert unexplained(judged(encoded), iter(after), OF_ENVELOPES) == set()


def altered_cose(encoded: bytes) -> Iterator[tuple[str, bytes]]:
    protected, header, payload, signature = cbor2.loads(encoded).value
    document = {"header": dict(header), "payload": payload, "protected": protected, "signature": signature}
    if 33 in header:
        document["header"][33] = list(header[33])
    for field, changed in _with_token(document):
        parts = [changed.get(name, b"") for name in ("protected", "header", "payload", "signature")]
        yield field, cbor2.dumps(cbor2.CBORTag(18, parts))


def altered_jws(encoded: bytes) -> Iterator[tuple[str, bytes]]:
    for field, changed in _with_token(json.loads(encoded)):
        yield field, json.dumps(changed).encode()


def _with_token(document: Any) -> Iterator[tuple[str, Any]]:
    """Each field altered, the timestamp's own fields apart."""
    name = "io.cncf.notary.timestampSignature"
    for field, changed in each_altered(document):
        if not field.endswith(name):
            yield field.removeprefix("header."), changed
    token = document["header"].get(name)
    if token is None:
        return
    is_text = isinstance(token, str)
    content = base64.b64decode(token) if is_text else token
    for field, start, end in token_fields(content):
        for place in {start, (2 * start + end) // 3, (start + 2 * end) // 3, end - 1}:
            flipped = content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]
            changed = deepcopy(document)
            changed["header"][name] = base64.b64encode(flipped).decode() if is_text else flipped
            yield f"token.{field}", changed
    changed = deepcopy(document)
    del changed["header"][name]
    yield "token", changed


_SIGNED_DATA = {
    0x02: "version",
    0x31: "digest algorithms",
    0x30: "content",
    0xA0: "certificates",
    0xA1: "revocations",
}


def token_fields(token: bytes) -> Iterator[tuple[str, int, int]]:
    """The parts of a timestamp with where they stand: those of its signed data, and of its only signer."""
    outer = list(read_der(token, SEQUENCE, "the token").parts().rest())
    parts = list(next(outer[1].parts().rest()).parts().rest())
    signer = next(parts[-1].parts().rest())
    names = ["version", "signer", "digest algorithm", "signed attributes", "algorithm", "signature"]
    inner = list(signer.parts().rest())
    yield "kind", *_span(token, outer[0])
    for part in parts[:-1]:
        yield _SIGNED_DATA[part.tag], *_span(token, part)
    for name, part in zip([*names, "unsigned attributes"], inner, strict=False):
        yield name, *_span(token, part, token.rindex(signer.encoded))


def _span(token: bytes, part: DerElement, start: int = 0) -> tuple[int, int]:
    place = token.index(part.encoded, start)
    return place, place + len(part.encoded)
