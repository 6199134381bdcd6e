"""Whatever is altered in a Notation signature, none holds that was not made so."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from bot.images.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.images.signatures.verdict import Validity
from tests.unit.images.signatures.making import (
    DIGEST,
    MAKERS,
    NOW,
    Draft,
    Timestamper,
    cose,
    needs_openssl,
)
from tests.unit.images.signatures.notation.signing import (
    SIGNER,
    WHOLE,
    every_envelope,
    failed,
    replace_token,
    short_lived,
    trusting,
)


@lru_cache(maxsize=1)
def stamped_by(timestamper: Timestamper) -> tuple[bytes, NotationPolicy]:
    signer = short_lived()
    policy = trusting(signer.chain[-1], tsa=(timestamper.root.certificate,))
    return cose(Draft(signer), timestamper=timestamper), policy


@needs_openssl
@given(data=st.data())
def test_no_flipped_byte_of_a_timestamp_moves_the_time(data: st.DataObject, timestamper: Timestamper) -> None:
    """Parts of a token are signed by nobody, such as further certificates; they may differ and decide nothing."""
    whole, policy = stamped_by(timestamper)
    now = datetime.now(UTC)
    token = cbor2.loads(whole).value[1]["io.cncf.notary.timestampSignature"]
    flipped = bytearray(token)
    flipped[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))

    verdict = verify_notation(replace_token(whole, bytes(flipped)), "application/cose", policy, now)

    assert verdict.outcome is not Validity.CANNOT_TELL
    if verdict.is_valid:
        assert verdict.signed_at == verify_notation(whole, "application/cose", policy, now).signed_at
    else:
        assert failed(verdict) == ["authenticTimestamp"]


@every_envelope
@given(data=st.data())
def test_no_envelope_with_a_byte_flipped_holds(media_type: str, data: st.DataObject) -> None:
    whole = WHOLE[media_type]
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= data.draw(st.integers(1, 255))

    verdict = verify_notation(bytes(flipped), media_type, trusting(SIGNER.chain[-1]), NOW, digests=(DIGEST,))

    assert verdict.outcome is Validity.INVALID


@every_envelope
@given(data=st.data())
def test_no_envelope_cut_short_or_made_longer_holds(media_type: str, data: st.DataObject) -> None:
    whole = WHOLE[media_type]
    altered = data.draw(
        st.one_of(
            st.integers(0, len(whole) - 1).map(lambda end: whole[:end]),
            st.binary(min_size=1, max_size=20).filter(bytes.strip).map(lambda more: whole + more),
        )
    )

    verdict = verify_notation(altered, media_type, trusting(SIGNER.chain[-1]), NOW)

    assert verdict.outcome is Validity.INVALID


@every_envelope
@given(content=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_whatever_the_bytes_a_verdict_comes_of_them(media_type: str, content: bytes) -> None:
    verdict = verify_notation(content, media_type, trusting(SIGNER.chain[-1]), NOW)

    assert verdict.outcome is Validity.INVALID
    assert verdict.reason


@given(
    value=st.recursive(
        st.one_of(
            st.integers(-(2**64), 2**64 - 1), st.binary(max_size=9), st.text(max_size=9), st.none(), st.floats()
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=5),
            st.dictionaries(st.one_of(st.integers(0, 40), st.text(max_size=9)), inner, max_size=5),
            inner.map(lambda one: cbor2.CBORTag(7, one)),
        ),
        max_leaves=20,
    )
)
def test_whatever_the_cbor_a_verdict_comes_of_it(value: Any) -> None:
    headers = cbor2.dumps(value)
    for content in (headers, cbor2.dumps(cbor2.CBORTag(18, [headers, {33: value}, b"x", b"y"]))):
        assert not verify_notation(content, "application/cose", trusting(SIGNER.chain[-1]), NOW).is_valid


@every_envelope
def test_the_parts_of_two_signatures_make_no_third(media_type: str) -> None:
    other = "sha256:" + "1" * 64
    ours, theirs = (MAKERS[media_type](Draft(SIGNER, digest=digest)) for digest in (DIGEST, other))
    for mixed in _mixtures(ours, theirs):
        assert failed(verify_notation(mixed, media_type, trusting(SIGNER.chain[-1]), NOW)) == ["integrity"]


def _mixtures(ours: bytes, theirs: bytes) -> list[bytes]:
    if ours.startswith(b"{"):
        documents = json.loads(ours), json.loads(theirs)
        return [
            json.dumps({**documents[0], name: documents[1][name]}).encode() for name in ("payload", "signature")
        ]
    parts = [list(cbor2.loads(one).value) for one in (ours, theirs)]
    return [
        cbor2.dumps(cbor2.CBORTag(18, [*parts[0][:place], parts[1][place], *parts[0][place + 1 :]]))
        for place in (2, 3)
    ]
