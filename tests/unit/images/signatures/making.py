"""Makes what the tests verify: authorities, Notary Project envelopes, timestamps by openssl."""

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot.images.signatures.notation.envelope import PAYLOAD_TYPE

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DIGEST = f"sha256:{sha256(b'an image manifest').hexdigest()}"
SUBJECT = (("C", "US"), ("ST", "Washington"), ("L", "Redmond"), ("O", "Contoso, Ltd"), ("CN", "Contoso Signing"))
IDENTITY = r"x509.subject: CN=Contoso Signing,O=Contoso\, Ltd,ST=Washington,C=US"

_OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_COSE = {"PS256": -37, "PS384": -38, "PS512": -39, "ES256": -7, "ES384": -35, "ES512": -36}
_ALGORITHMS = {256: "ES256", 384: "ES384", 521: "ES512", 2048: "PS256", 3072: "PS384", 4096: "PS512"}

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def usage(*wanted: str) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in wanted for name in names})


SIGNATURES = usage("digital_signature")


@dataclass(frozen=True)
class Shape:
    """What a certificate says; by default that of a signer that is valid for a year from yesterday on."""

    subject: Sequence[tuple[str, str]] = SUBJECT
    start: datetime = NOW - timedelta(days=1)
    end: datetime = NOW + timedelta(days=365)
    authority: bool = False
    path_length: int | None = None
    usage: x509.KeyUsage | None = SIGNATURES
    is_usage_critical: bool = True
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    is_purpose_critical: bool = False
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    digest: Any = field(default_factory=hashes.SHA256)


AUTHORITY = Shape(
    subject=(("CN", "Contoso CA"), ("O", "Contoso")),
    end=NOW + timedelta(days=3650),
    authority=True,
    usage=usage("key_cert_sign"),
)
ROOT = replace(AUTHORITY, subject=(("CN", "Contoso Root"), ("O", "Contoso")), start=NOW - timedelta(days=3650))
TSA = Shape(
    subject=(("CN", "Contoso Timestamps"),), purposes=(ExtendedKeyUsageOID.TIME_STAMPING,), is_purpose_critical=True
)


@dataclass(frozen=True)
class Holder:
    """A key with its certificate, and who issued that."""

    key: Key
    certificate: x509.Certificate
    issuer: "Holder | None" = None

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return (self.certificate, *(self.issuer.chain if self.issuer is not None else ()))

    @property
    def algorithm(self) -> str:
        return _ALGORITHMS[self.key.key_size]


def issue(shape: Shape, issuer: Holder | None = None, key: Key | None = None) -> Holder:
    """A certificate of this shape; without issuer it signs itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(_OIDS[kind], value) for kind, value in shape.subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer is not None else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(shape.start)
        .not_valid_after(shape.end)
    )
    if shape.authority:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=shape.path_length), critical=True
        )
    if shape.usage is not None:
        builder = builder.add_extension(shape.usage, critical=shape.is_usage_critical)
    if shape.purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(shape.purposes), critical=shape.is_purpose_critical)
    for extension, critical in shape.extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Holder(key, builder.sign(issuer.key if issuer is not None else key, shape.digest), issuer)


def chain_of_three(leaf: Shape = Shape(), key: Key | None = None) -> Holder:
    return issue(leaf, issue(AUTHORITY, issue(ROOT)), key)


@dataclass(frozen=True)
class Draft:
    """An envelope to be; every field can be made wrong."""

    signer: Holder
    digest: str = DIGEST
    scheme: str = "notary.x509"
    signed_at: datetime = NOW - timedelta(hours=1)
    expiry: datetime | None = None
    content_type: str = PAYLOAD_TYPE
    critical: tuple[str, ...] | None = None
    extra: tuple[tuple[str, str], ...] = ()
    algorithm: str = ""
    chain: tuple[x509.Certificate, ...] | None = None

    @property
    def payload(self) -> bytes:
        descriptor = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": self.digest, "size": 17}
        return json.dumps({"targetArtifact": descriptor}, separators=(",", ":")).encode()

    @property
    def certificates(self) -> list[bytes]:
        return [one.public_bytes(Encoding.DER) for one in self.chain or self.signer.chain]

    def headers(self, written: Any) -> dict[Any, Any]:
        is_authority = self.scheme.endswith("signingAuthority")
        time = "io.cncf.notary.authenticSigningTime" if is_authority else "io.cncf.notary.signingTime"
        critical = ["io.cncf.notary.signingScheme", *([time] if is_authority else [])]
        found = {"io.cncf.notary.signingScheme": self.scheme, time: written(self.signed_at), **dict(self.extra)}
        if self.expiry is not None:
            found["io.cncf.notary.expiry"] = written(self.expiry)
            critical.append("io.cncf.notary.expiry")
        return {**found, "crit": list(critical if self.critical is None else self.critical)}


def sign(holder: Holder, content: bytes, algorithm: str) -> bytes:
    """As JOSE and COSE have it: RSASSA-PSS, or ECDSA as two plain numbers."""
    digest = _HASHES[algorithm[2:]]
    if isinstance(holder.key, rsa.RSAPrivateKey):
        salted = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
        return holder.key.sign(content, salted, digest)
    width = (holder.key.key_size + 7) // 8
    return b"".join(
        number.to_bytes(width) for number in decode_dss_signature(holder.key.sign(content, ec.ECDSA(digest)))
    )


def cose(draft: Draft, *, timestamper: "Timestamper | None" = None) -> bytes:
    headers = draft.headers(lambda at: cbor2.CBORTag(1, int(at.timestamp())))
    critical = headers.pop("crit")
    algorithm = draft.algorithm or draft.signer.algorithm
    protected = cbor2.dumps({1: _COSE[algorithm], 2: critical, 3: draft.content_type, **headers})
    signature = sign(draft.signer, cbor2.dumps(["Signature1", protected, b"", draft.payload]), algorithm)
    unprotected: dict[Any, Any] = {33: draft.certificates}
    if timestamper is not None:
        unprotected["io.cncf.notary.timestampSignature"] = timestamper.stamp(signature)
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, draft.payload, signature]))


def jws(draft: Draft, *, timestamper: "Timestamper | None" = None) -> bytes:
    algorithm = draft.algorithm or draft.signer.algorithm
    headers = draft.headers(lambda at: at.isoformat().replace("+00:00", "Z"))
    protected = _url(json.dumps({"alg": algorithm, "cty": draft.content_type, **headers}).encode())
    payload = _url(draft.payload)
    signature = sign(draft.signer, f"{protected}.{payload}".encode(), algorithm)
    header: dict[str, Any] = {"x5c": [base64.b64encode(one).decode() for one in draft.certificates]}
    if timestamper is not None:
        token = timestamper.stamp(signature)
        header["io.cncf.notary.timestampSignature"] = base64.b64encode(token).decode()
    document = {"payload": payload, "protected": protected, "header": header, "signature": _url(signature)}
    return json.dumps(document, separators=(",", ":")).encode()


MAKERS = {"application/cose": cose, "application/jose+json": jws}


@dataclass(frozen=True)
class Timestamper:
    """A timestamp authority: openssl with a key of ours, at the machine's own time."""

    folder: Path
    root: Holder
    digest: str = "sha256"

    @classmethod
    def open(cls, folder: Path, shape: Shape = TSA, *, attribute: str = "sha256") -> "Timestamper":
        now = datetime.now(UTC).replace(microsecond=0)
        span: dict[str, Any] = {"start": now - timedelta(days=1), "end": now + timedelta(days=2)}
        root = issue(replace(ROOT, subject=(("CN", "Timestamp Root"),), **span))
        leaf = issue(replace(shape, **span), root)
        folder.mkdir(exist_ok=True)
        (folder / "key.pem").write_bytes(leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "tsa.pem").write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(
            "[tsa]\ndefault_tsa = t\n[t]\n"
            f"serial = {folder}/serial\nsigner_cert = {folder}/tsa.pem\nsigner_key = {folder}/key.pem\n"
            f"certs = {folder}/tsa.pem\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\n"
            f"digests = sha256, sha384, sha512\naccuracy = secs:1, millisecs:500\ness_cert_id_alg = {attribute}\n"
        )
        return cls(folder, root)

    def stamp(self, content: bytes) -> bytes:
        """The bare token over the content."""
        (self.folder / "content").write_bytes(content)
        self._run("ts", "-query", "-data", "content", f"-{self.digest}", "-cert", "-out", "query")
        self._run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-token_out", "-out", "token")
        return (self.folder / "token").read_bytes()

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


def _url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
