"""Statements about one image, signed, in each layout in which they are kept."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.trust.collecting import AttachedDocument
from bot.images.trust.judging import Trusted
from tests.unit.images.signatures.private_sigstore import (
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    dsse_bundle,
    dsse_entry,
    envelope_of,
    pem,
    promised,
)

DIGEST = f"sha256:{sha256(b'an image').hexdigest()}"
SIGSTORE = PrivateSigstore.open()
KEY = ec.generate_private_key(ec.SECP256R1())
KEYLESS = Trusted(
    "keyless", keyless=(read_trusted_root(SIGSTORE.trusted_root()), accepting([IDENTITY], [], ISSUER))
)
KEYED = Trusted("key", key=KEY.public_key())


def bundled(said: dict[str, Any]) -> AttachedDocument:
    return AttachedDocument(
        "sigstore", json.dumps(dsse_bundle(SIGSTORE, SIGSTORE.certificate(), said)).encode(), ""
    )


def tagged(said: dict[str, Any]) -> AttachedDocument:
    """As `cosign attest` keeps it under the `.att` tag."""
    signer = SIGSTORE.certificate()
    envelope = envelope_of(signer, said)
    chain = b"".join(pem(replace(signer, certificate=one)) for one in SIGSTORE.authority.chain)
    annotations = {
        "dev.cosignproject.cosign/signature": "",
        "dev.sigstore.cosign/certificate": pem(signer).decode(),
        "dev.sigstore.cosign/chain": chain.decode(),
        "dev.sigstore.cosign/bundle": json.dumps(promised(SIGSTORE.entry(dsse_entry(signer, envelope)))),
    }
    return layer(envelope, annotations)


def keyed(said: dict[str, Any]) -> AttachedDocument:
    signer = replace(SIGSTORE.certificate(), key=KEY)
    return layer(envelope_of(signer, said), {"dev.cosignproject.cosign/signature": ""})


def layer(envelope: dict[str, Any], annotations: dict[str, str]) -> AttachedDocument:
    payload = json.dumps(envelope).encode()
    described = {"digest": f"sha256:{sha256(payload).hexdigest()}", "annotations": annotations}
    return AttachedDocument("cosign", json.dumps({"layers": [described]}).encode(), "", payload)


LAYOUTS = {"bundle": (bundled, KEYLESS), "tag": (tagged, KEYLESS), "key": (keyed, KEYED)}
