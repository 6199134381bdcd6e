"""Whatever is altered in a keyless signature, none holds that was not made so."""

import base64
import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless
from bot.images.signatures.verdict import Validity
from tests.unit.images.signatures.cosign.signing import (
    DIGEST,
    LAYOUTS,
    POLICY,
    ROOT,
    SIGNER,
    SIGSTORE,
    every_layout,
    judged,
)
from tests.unit.images.signatures.private_sigstore import (
    ARTIFACT,
    IDENTITY,
    b64,
    message_bundle,
    pem,
)

# altered

WHOLE = {make: make(SIGSTORE, SIGNER) for make in LAYOUTS.values()}
BUNDLE = message_bundle(SIGSTORE, SIGNER)


@every_layout
@settings(max_examples=40)
@given(data=st.data())
def test_no_flipped_byte_makes_another_thing_valid(make: Any, data: st.DataObject) -> None:
    """What a flip leaves valid binds the same artifact to the same signer: it fell on something nobody reads."""
    whole = WHOLE[make]
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= data.draw(st.integers(1, 255))

    verdict = judged(bytes(flipped))

    assert not verdict.is_valid or (verdict.signer, verdict.digest) == (IDENTITY, DIGEST)


@pytest.mark.parametrize("name", ["messageSignature", "certificate", "signedEntryTimestamp", "canonicalizedBody"])
@settings(max_examples=40)
@given(data=st.data())
def test_no_bit_of_what_is_signed_may_flip(name: str, data: st.DataObject) -> None:
    document = deepcopy(BUNDLE)
    material = document["verificationMaterial"]
    entry = material["tlogEntries"][0]
    holder, key = {
        "messageSignature": (document["messageSignature"], "signature"),
        "certificate": (material["certificate"], "rawBytes"),
        "signedEntryTimestamp": (entry["inclusionPromise"], "signedEntryTimestamp"),
        "canonicalizedBody": (entry, "canonicalizedBody"),
    }[name]
    content = bytearray(base64.b64decode(holder[key]))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    holder[key] = b64(bytes(content))

    assert judged(json.dumps(document).encode()).outcome is Validity.INVALID


@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_whatever_the_bytes_a_verdict_comes_of_them(content: bytes) -> None:
    assert judged(content).outcome is Validity.INVALID


NAMES = st.sampled_from(
    ["mediaType", "verificationMaterial", "certificate", "rawBytes", "tlogEntries", "messageSignature",
     "signature", "dsseEnvelope", "payload", "payloadType", "signatures", "sig", "base64Signature", "cert",
     "rekorBundle", "layers", "Payload", "body", "annotations", "digest", "kindVersion", "inclusionPromise"]
)  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(["application/vnd.dev.sigstore.bundle.v0.3+json", "e30=", "AA==", "x", b64(pem(SIGNER))]),
)


@given(
    document=st.dictionaries(
        NAMES,
        st.recursive(
            VALUES,
            lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
            max_leaves=20,
        ),
        max_size=6,
    )
)
def test_whatever_the_document_a_verdict_comes_of_it(document: Any) -> None:
    encoded = json.dumps(document).encode()
    for asked in (
        SignedSubject(ARTIFACT),
        SignedSubject(digest=DIGEST),
        SignedSubject(),
        SignedSubject(digest="sha512:" + "0" * 128),
    ):
        assert not verify_keyless(encoded, ROOT, POLICY, asked).is_valid
