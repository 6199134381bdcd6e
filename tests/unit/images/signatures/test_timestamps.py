"""RFC 3161 tokens on their own."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.images.signatures.certificates import read_certificate, read_pem
from bot.images.signatures.der import SEQUENCE, Parts, read_der
from bot.images.signatures.notation.cose import read_cose
from bot.images.signatures.timestamps import verify_timestamp
from bot.images.signatures.verdict import Refused
from tests.unit.images.signatures.evidence import EVIDENCE, needs_evidence

FOLDER = EVIDENCE / "notation"


@needs_evidence
def test_a_recorded_token_attests_the_message_that_it_was_made_for() -> None:
    token = (FOLDER / "p7s" / "TimeStampToken.p7s").read_bytes()
    stores = FOLDER / "truststore" / "x509" / "tsa"
    content = (stores / "test-timestamp" / "globalsignRoot.cer").read_bytes()
    root = read_pem(content)[0] if b"BEGIN" in content else read_certificate(content)
    other = (stores / "test-mismatch" / "DigiCertTSARootSHA384.cer").read_bytes()
    stranger = read_pem(other)[0] if b"BEGIN" in other else read_certificate(other)

    timestamp = verify_timestamp(token, b"notation", [stranger, root])

    assert (timestamp.at.isoformat(), timestamp.accuracy) == ("2021-09-17T14:09:10+00:00", timedelta(seconds=1))
    assert timestamp.chain[-1] == root
    for message, roots, says in (
        (b"another", [root], "another signature"),
        (b"notation", [stranger], "trusted root"),
        (b"notation", [], "no root"),
    ):
        with pytest.raises(Refused, match=says):
            verify_timestamp(token, message, roots)


@needs_evidence
def test_a_recorded_token_that_cannot_be_read_is_refused() -> None:
    token = (FOLDER / "p7s" / "TimeStampTokenWithInvalidTSTInfo.p7s").read_bytes()

    with pytest.raises(Refused, match="TSTInfo"):
        verify_timestamp(token, b"notation", [])


@needs_evidence
def test_the_recorded_envelope_without_a_chain_is_read_up_to_that() -> None:
    recorded = json.loads((FOLDER / "conformance" / "cose-conformance.json").read_bytes())

    with pytest.raises(Refused, match="no certificate chain"):
        read_cose(bytes.fromhex(recorded["expectedOutput"]["cborHex"]))


@given(
    content=st.one_of(
        st.binary(max_size=300), st.binary(max_size=120).map(lambda inner: b"\x30" + bytes([len(inner)]) + inner)
    )
)
def test_whatever_the_bytes_a_token_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        verify_timestamp(content, b"notation", [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x30",
        b"\x30\x05\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x30\x82\x00\x01\x00",
        b"\x30\x85\x00\x00\x00\x00\x01\x00",
        b"\x3f\x81\x00\x00",
        b"\x31\x00",
        b"\x30\x00\x00",
    ],
)
def test_only_one_encoding_of_an_element_is_taken(content: bytes) -> None:
    with pytest.raises(Refused):
        read_der(content, SEQUENCE, "it")


@given(content=st.binary(max_size=200))
def test_whatever_the_bytes_elements_put_together_are_the_bytes_again(content: bytes) -> None:
    try:
        found = list(Parts(content).rest())
    except Refused:
        return
    assert b"".join(element.encoded for element in found) == content
