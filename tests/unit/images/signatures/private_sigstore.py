"""A Sigstore of our own: an authority for short-lived certificates, a certificate log, a signature log, a root."""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import new, sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from nacl.bindings import (
    crypto_sign_ed25519ph_final_create,
    crypto_sign_ed25519ph_state,
    crypto_sign_ed25519ph_update,
)

from tests.unit.images.signatures.making import AUTHORITY, ROOT, SIGNATURES, Holder, Key, Shape, issue

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
IDENTITY = "https://github.com/contoso/app/.github/workflows/build.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
ARTIFACT = b"what was built"

_ARC = "1.3.6.1.4.1.57264.1"
_SCT = "1.3.6.1.4.1.11129.2.4.2"


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def spki(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signed(key: Any, content: bytes, algorithm: str = "sha256") -> bytes:
    """A signature as Sigstore's clients make it; by Ed25519 over the content, or for SHA-512 by Ed25519ph."""
    digest = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[algorithm]
    match key:
        case ed25519.Ed25519PrivateKey():
            return signed_prehashed(key, content) if algorithm == "sha512" else key.sign(content)
        case rsa.RSAPrivateKey():
            return key.sign(content, padding.PKCS1v15(), digest)
        case _:
            return key.sign(content, ec.ECDSA(digest))


def signed_prehashed(key: ed25519.Ed25519PrivateKey, content: bytes) -> bytes:
    """A signature by Ed25519ph, as cosign makes it where a log takes it."""
    state = crypto_sign_ed25519ph_state()
    crypto_sign_ed25519ph_update(state, content)
    secret = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    return crypto_sign_ed25519ph_final_create(state, secret)


def utf8(text: str) -> bytes:
    content = text.encode()
    return bytes([0x0C, len(content)] if len(content) < 128 else [0x0C, 0x81, len(content)]) + content


@dataclass(frozen=True)
class PrivateSigstore:
    """The keys of one instance; each part can be replaced to see that it is looked at."""

    root: Holder
    authority: Holder
    certificate_log: ec.EllipticCurvePrivateKey
    log: ec.EllipticCurvePrivateKey

    @classmethod
    def open(cls) -> "PrivateSigstore":
        root = issue(replace(ROOT, subject=(("O", "contoso.example"), ("CN", "sigstore"))))
        authority = issue(
            replace(
                AUTHORITY,
                subject=(("O", "contoso.example"), ("CN", "sigstore-intermediate")),
                start=AT - timedelta(days=30),
                path_length=0,
                purposes=(ExtendedKeyUsageOID.CODE_SIGNING,),
            ),
            root,
        )
        return cls(
            root, authority, ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        )

    def trusted_root(
        self,
        *,
        start: datetime = AT - timedelta(days=60),
        end: datetime | None = None,
        timestampers: Sequence[tuple[x509.Certificate, ...]] = (),
    ) -> bytes:
        period = {"start": _time(start), **({"end": _time(end)} if end is not None else {})}
        chain = [{"rawBytes": b64(one.public_bytes(Encoding.DER))} for one in self.authority.chain]
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [_log("https://rekor.contoso.example", self.log, period)],
                "ctlogs": [_log("https://ctfe.contoso.example", self.certificate_log, period)],
                "certificateAuthorities": [
                    {
                        "subject": {"organization": "contoso.example", "commonName": "sigstore"},
                        "uri": "https://fulcio.contoso.example",
                        "certChain": {"certificates": chain},
                        "validFor": period,
                    }
                ],
                "timestampAuthorities": [
                    {
                        "subject": {"organization": "contoso.example", "commonName": "tsa"},
                        "uri": "https://tsa.contoso.example",
                        "certChain": {
                            "certificates": [{"rawBytes": b64(one.public_bytes(Encoding.DER))} for one in authority]
                        },
                        "validFor": {"start": "2020-01-01T00:00:00Z"},
                    }
                    for authority in timestampers
                ],
            }
        ).encode()

    def certificate(
        self,
        identity: str = IDENTITY,
        issuer: str = ISSUER,
        *,
        at: datetime = AT,
        is_logged: bool = True,
        purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,),
        facts: Mapping[int, str] | None = None,
        key: Any = None,
    ) -> Holder:
        """A key with a certificate for ten minutes that the certificate log has signed for."""
        name: x509.GeneralName = x509.RFC822Name(identity)
        if "://" in identity:
            name = x509.UniformResourceIdentifier(identity)
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.key.public_key())
        told = {
            9: identity,
            11: "github-hosted",
            12: "https://github.com/contoso/app",
            18: identity,
            **(facts or {}),
        }
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (authority_key, False),
            (x509.SubjectAlternativeName([name]), True),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_ARC}.1"), issuer.encode()), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_ARC}.8"), utf8(issuer)), False),
            *(
                (x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_ARC}.{arc}"), utf8(text)), False)
                for arc, text in told.items()
            ),
        ]
        key = key or ec.generate_private_key(ec.SECP256R1())
        shape = Shape(
            subject=(),
            start=at,
            end=at + timedelta(minutes=10),
            usage=SIGNATURES,
            purposes=purposes,
            extensions=tuple(extensions),
        )
        bare = issue(shape, self.authority, key)
        if not is_logged:
            return bare
        stamp = x509.UnrecognizedExtension(x509.ObjectIdentifier(_SCT), self._stamp(bare.certificate, at))
        return replace(bare, certificate=_again(bare.certificate, stamp, self.authority.key))

    def entry(self, body: bytes, *, at: datetime = AT + timedelta(minutes=1)) -> dict[str, Any]:
        """What the log answers for a body, in the shape of a bundle."""
        payload = {
            "body": b64(body),
            "integratedTime": int(at.timestamp()),
            "logIndex": 5,
            "logID": self.log_id.hex(),
        }
        promise = signed(self.log, json.dumps(payload, sort_keys=True, separators=(",", ":")).encode())
        document = json.loads(body)
        leaf = sha256(b"\0" + body).digest()
        note = f"rekor.contoso.example\n1\n{b64(leaf)}\n"
        signature = b64(self.log_id[:4] + signed(self.log, note.encode()))
        return {
            "logIndex": "5",
            "logId": {"keyId": b64(self.log_id)},
            "kindVersion": {"kind": document["kind"], "version": document["apiVersion"]},
            "integratedTime": str(payload["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": b64(promise)},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(leaf),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} rekor.contoso.example {signature}\n"},
            },
            "canonicalizedBody": b64(body),
        }

    @property
    def log_id(self) -> bytes:
        return sha256(spki(self.log)).digest()

    def _stamp(self, certificate: x509.Certificate, at: datetime) -> bytes:
        body = certificate.tbs_certificate_bytes
        milliseconds = int(at.timestamp() * 1000)
        issuer = sha256(spki(self.authority.key)).digest()
        content = struct.pack("!BBQH", 0, 0, milliseconds, 1) + issuer + len(body).to_bytes(3) + body + b"\0\0"
        signature = signed(self.certificate_log, content)
        log = sha256(spki(self.certificate_log)).digest()
        stamp = b"\0" + log + struct.pack("!QHBBH", milliseconds, 0, 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(stamp) + 2, len(stamp)) + stamp
        return bytes([0x04, len(listed)] if len(listed) < 128 else [0x04, 0x81, len(listed)]) + listed


def hashedrekord(signer: Holder, signature: bytes, content: bytes = ARTIFACT, algorithm: str = "sha256") -> bytes:
    body = {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": algorithm, "value": new(algorithm, content).hexdigest()}},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(pem(signer))}},
        },
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def dsse_entry(signer: Holder, envelope: dict[str, Any]) -> bytes:
    body = {
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": {"algorithm": "sha256", "value": sha256(json.dumps(envelope).encode()).hexdigest()},
            "payloadHash": {
                "algorithm": "sha256",
                "value": sha256(base64.b64decode(envelope["payload"])).hexdigest(),
            },
            "signatures": [{"signature": envelope["signatures"][0]["sig"], "verifier": b64(pem(signer))}],
        },
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def intoto_bundle(
    sigstore: PrivateSigstore, signer: Holder, statement: dict[str, Any], version: str = "0.2"
) -> dict[str, Any]:
    """A bundle of 2023 over a statement, whose log entry is of the kind intoto, as npm's provenance has it."""
    envelope = envelope_of(signer, statement)
    made = {"publicKey": b64(pem(signer)), "sig": b64(envelope["signatures"][0]["sig"].encode())}
    content = {
        "envelope": {"payloadType": envelope["payloadType"], "signatures": [made]},
        "payloadHash": {"algorithm": "sha256", "value": sha256(base64.b64decode(envelope["payload"])).hexdigest()},
    }
    body = {"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": content}}
    made_of = _bundle(signer, sigstore.entry(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()))
    material = made_of["verificationMaterial"]
    return {
        "mediaType": f"application/vnd.dev.sigstore.bundle+json;version={version}",
        "verificationMaterial": {
            "x509CertificateChain": {"certificates": [material["certificate"]]},
            "tlogEntries": material["tlogEntries"],
        },
        "dsseEnvelope": envelope,
    }


def pem(signer: Holder) -> bytes:
    return signer.certificate.public_bytes(Encoding.PEM)


def message_bundle(
    sigstore: PrivateSigstore, signer: Holder, content: bytes = ARTIFACT, algorithm: str = "sha256"
) -> dict[str, Any]:
    """A bundle of version 0.3 over a file."""
    signature = signed(signer.key, content, algorithm)
    digest = b64(new(algorithm, content).digest())
    return {
        **_bundle(signer, sigstore.entry(hashedrekord(signer, signature, content, algorithm))),
        "messageSignature": {
            "messageDigest": {"algorithm": algorithm.upper().replace("SHA", "SHA2_"), "digest": digest},
            "signature": b64(signature),
        },
    }


def envelope_of(signer: Holder, statement: dict[str, Any]) -> dict[str, Any]:
    kind = "application/vnd.in-toto+json"
    payload = json.dumps(statement).encode()
    encoded = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    signature = signed(signer.key, encoded)
    return {"payload": b64(payload), "payloadType": kind, "signatures": [{"sig": b64(signature)}]}


def dsse_bundle(sigstore: PrivateSigstore, signer: Holder, statement: dict[str, Any]) -> dict[str, Any]:
    """A bundle of version 0.3 over a statement, as GitHub attests."""
    envelope = envelope_of(signer, statement)
    return {**_bundle(signer, sigstore.entry(dsse_entry(signer, envelope))), "dsseEnvelope": envelope}


def older_bundle(sigstore: PrivateSigstore, signer: Holder, content: bytes = ARTIFACT) -> dict[str, Any]:
    """What `cosign sign-blob --bundle` wrote for years."""
    signature = signed(signer.key, content)
    return {
        "base64Signature": b64(signature),
        "cert": b64(pem(signer)),
        "rekorBundle": promised(sigstore.entry(hashedrekord(signer, signature, content))),
    }


def sig_annotations(sigstore: PrivateSigstore, signer: Holder, payload: bytes) -> dict[str, str]:
    """What stands beside a layer of the `.sig` layout."""
    signature = signed(signer.key, payload)
    entry = sigstore.entry(hashedrekord(signer, signature, payload))
    return {
        "dev.cosignproject.cosign/signature": b64(signature),
        "dev.sigstore.cosign/certificate": pem(signer).decode(),
        "dev.sigstore.cosign/chain": b"".join(
            one.public_bytes(Encoding.PEM) for one in sigstore.authority.chain
        ).decode(),
        "dev.sigstore.cosign/bundle": json.dumps(promised(entry)),
    }


def promised(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry["logIndex"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        },
    }


def simple_signing(digest: str) -> bytes:
    critical = {
        "identity": {"docker-reference": "ghcr.io/contoso/app"},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return json.dumps({"critical": critical, "optional": None}).encode()


def _bundle(signer: Holder, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": b64(signer.certificate.public_bytes(Encoding.DER))},
            "tlogEntries": [entry],
        },
    }


def _log(url: str, key: Key, period: dict[str, str]) -> dict[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": b64(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": period},
        "logId": {"keyId": b64(sha256(spki(key)).digest())},
    }


def _again(certificate: x509.Certificate, more: x509.UnrecognizedExtension, key: Key) -> x509.Certificate:
    """The same certificate with one more extension at its end."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.add_extension(more, critical=False).sign(key, hashes.SHA256())


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
